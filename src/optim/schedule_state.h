/** A schedule's memory as members of a JSON object, for checkpoints. */
#ifndef OPTIM_SCHEDULE_STATE_H
#define OPTIM_SCHEDULE_STATE_H

#include "resnet/optim.h"

#include "base/json.h"

/** Append every field as a member of `object`, named like the field; RN_ENOMEM. */
rn_status rn_schedule_state_to_json(cJSON *object, const rn_schedule_state *state);

/**
 * Read what rn_schedule_state_to_json() wrote, bit for bit. Other members of `object` are ignored,
 * absent ones are an error.
 *
 * @param what  What the object is, for messages: "state of 'x.safetensors'".
 * @return RN_OK; RN_EFORMAT (names the key); *state is unchanged on failure.
 */
rn_status rn_schedule_state_from_json(rn_schedule_state *state, const cJSON *object,
                                      const char *what);

#endif
