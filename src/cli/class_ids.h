/** Numbers of classes in ImageNet's submission format. */
#ifndef CLI_CLASS_IDS_H
#define CLI_CLASS_IDS_H

#include "resnet/resnet.h"

enum { CLI_IMAGENET_CLASSES = 1000 };

/**
 * The ILSVRC2012_ID (1 .. 1000) of each class of a model.
 *
 * @param[out] ids  One a class; the caller's (free()); NULL on failure.
 * @param path      A file with a line for each class of the model, in its order, with the number;
 *                  or lines "LABEL NUMBER" in any order. NULL: class k (from 0) is number k + 1.
 * @return RN_OK; RN_EFORMAT (names file, line, expected, found; a class without a number, a number
 *         twice); RN_EINVAL (more than 1000 classes, or fewer than 5); RN_ENOTFOUND, RN_EIO;
 *         RN_ENOMEM.
 */
rn_status cli_class_ids_read(int **ids, const rn_checkpoint *model, const char *path);

#endif
