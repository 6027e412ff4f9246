/** First convolutions that whiten patches of the training images. */
#ifndef TRAIN_WHITEN_H
#define TRAIN_WHITEN_H

#include "resnet/train.h"

/**
 * Make the first convolution's filters from patches of the first `images` of a set, normalised and
 * without augmentation (Page 2019, "How to train your ResNet 8"; Jordan 2024, section 3.2).
 *
 * With the eigenvectors v_i and eigenvalues e_1 >= e_2 >= ... of the patches' second moments,
 * E[p p'], filter i < n is v_i / sqrt(e_i + 5e-4) and filter n + i its negative, where n is half of
 * the output channels or, if there are fewer, the values of a patch. Channels beyond 2 n stay as
 * they are. A vector's largest component is positive, so that it does not depend on the solver's
 * way.
 *
 * @return RN_OK; RN_EINVAL (no convolution, more than 1,024 values in a patch, images smaller than
 *         a patch); RN_ENOMEM.
 */
rn_status rn_whiten(rn_weights *weights, const rn_preprocess *preprocess, const rn_samples *samples,
                    size_t images);

/**
 * Eigenvalues, falling, and eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub &
 * Van Loan, section 8.5).
 *
 * @param matrix   [size][size]; destroyed.
 * @param values   [size].
 * @param vectors  [size][size], a vector a row.
 */
void rn_symmetric_eigen(double *matrix, int size, double *values, double *vectors);

#endif
