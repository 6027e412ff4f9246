/** Class activation maps of `resnet predict`. */
#ifndef CLI_PREDICT_CAM_H
#define CLI_PREDICT_CAM_H

#include "cli/options.h"
#include "cli/picture_names.h"

#include "resnet/resnet.h"

typedef struct predict_cam {
    const char *path;     // of the overlay or overlays; NULL: none
    const char *raw_path; // NULL: none
    const rn_checkpoint *model;
    const char *layer;
    int class; // -1: the most probable one of each picture
    int count; // of pictures
    int height, width;
    float *map;
    rn_npy *raw;
} predict_cam;

/** By the options --cam, --cam-class and --cam-raw; layer is NULL where none is given. Neither may
 * name one of the `pictures`, which are borrowed for the call. */
rn_status predict_cam_init(predict_cam *cam, const cli_arguments *args, const rn_checkpoint *model,
                           const cli_names *pictures);
void predict_cam_release(predict_cam *cam);

/** Map of the picture in slot 0 of the last run. */
rn_status predict_cam_show(predict_cam *cam, const rn_predictor *predictor,
                           const rn_picture *picture, int most_probable);

/** Put the file of maps in place. */
rn_status predict_cam_finish(predict_cam *cam);

#endif
