/** The pictures that a model is measured on. */
#ifndef CLI_TEST_SET_H
#define CLI_TEST_SET_H

#include "resnet/resnet.h"

/**
 * Open the test pictures of a source. Where it has none apart from those for training, and it is
 * what the model's run was trained on, they are those that the run held out, if it did.
 *
 * @param[out] out  The caller's (rn_samples_free()); NULL on failure.
 * @param model     As it was loaded from `word`, a model file or a run folder.
 * @return As rn_data_open(); RN_EINVAL (pictures were added or removed since).
 */
rn_status cli_test_set_open(rn_samples **out, const char *source, const rn_checkpoint *model,
                            const char *word);

#endif
