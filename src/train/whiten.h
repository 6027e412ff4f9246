/** First convolutions that whiten patches of the training images. */
#ifndef TRAIN_WHITEN_H
#define TRAIN_WHITEN_H

#include "resnet/train.h"

typedef struct rn_whiten_options {
    size_t images;            // of the set that count, from the first on; more than there are: all
    int workers;              // threads that make them ready, 1 .. 64; 0: 1
    rn_bad_images bad_images; // of encoded pictures; the next of the set counts instead
    /** Told of each such picture; NULL: nobody is. The message is borrowed until it returns. */
    void (*on_bad)(const char *message, void *context);
    void *context;
    const volatile sig_atomic_t *stop; // becomes non-zero: RN_EINTERRUPTED; NULL: never
} rn_whiten_options;

/**
 * Make the first convolution's filters from patches of the first images of a set, normalised and
 * without augmentation (Page 2019, "How to train your ResNet 8"; Jordan 2024, section 3.2).
 *
 * With the eigenvectors v_i and eigenvalues e_1 >= e_2 >= ... of the patches' second moments,
 * E[p p'], filter i < n is v_i / sqrt(e_i + 5e-4) and filter n + i its negative, where n is half of
 * the output channels or, if there are fewer, the values of a patch. Channels beyond 2 n stay as
 * they are. A vector's largest component is positive, so that it does not depend on the solver's
 * way. Encoded pictures are seen as rn_preprocess_image() shows them, and decoded as they are
 * needed.
 *
 * @return RN_OK; RN_EINVAL (no convolution, more than 1,024 values in a patch, images smaller than
 *         a patch); RN_EFORMAT (no picture could be read); of a bad picture, where it ends this, as
 *         rn_photos_decode(); RN_EINTERRUPTED; RN_ENOMEM.
 */
rn_status rn_whiten(rn_weights *weights, const rn_preprocess *preprocess, const rn_samples *samples,
                    const rn_whiten_options *options);

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
