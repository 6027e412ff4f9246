/** Starting a training from the weights of another model. */
#ifndef TRAIN_FINETUNE_H
#define TRAIN_FINETUNE_H

#include "train/trainer.h"

/**
 * Take weights, running statistics and preprocess from options->from; the checkpoint has its graph,
 * labels and fresh weights by now. The recipe becomes what that makes of it.
 *
 * @return RN_OK; RN_EINVAL (another network, or an input size that does not go with it; the message
 *         names the first difference); RN_ENOMEM.
 */
rn_status rn_finetune_begin(rn_trainer *trainer);

#endif
