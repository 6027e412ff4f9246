#include "cli/predict_cam.h"

#include "cli/model_file.h"
#include "cli/run_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const double opacity = 0.5;

// A label, or else a number from 0.
static rn_status find_class(int *class, const rn_checkpoint *model, const char *name)
{
    int classes = model->options.classes;
    char *end;

    *class = cli_find_label(model, name);
    if (*class >= 0)
        return RN_OK;
    long number = strtol(name, &end, 10);
    if (end != name && *end == '\0' && number >= 0 && number < classes) {
        *class = (int)number;
        return RN_OK;
    }
    const char *nearest =
        rn_nearest(name, (const char *const *)model->label_names, (size_t)classes);
    if (nearest != NULL)
        return rn_error(RN_EINVAL, "option '--cam-class': no class '%s'; did you mean '%s'?", name,
                        nearest);
    return rn_error(RN_EINVAL, "option '--cam-class': no class '%s', expected a label or 0 to %d",
                    name, classes - 1);
}

static bool is_one_picture(const predict_cam *cam)
{
    return cli_ends_in(cam->path, ".png");
}

static rn_status check_paths(const predict_cam *cam, const cli_names *pictures)
{
    rn_status st = RN_OK;

    if (cam->raw_path != NULL)
        RN_TRY(cli_check_ending("cam-raw", cam->raw_path, ".npy"));
    if (cam->path == NULL || !is_one_picture(cam))
        return RN_OK;
    if (cli_names_count(pictures) > 1)
        return rn_error(RN_EINVAL, "'--cam %s' is one picture, for several it is a folder",
                        cam->path);
    RN_TRY(cli_names_spare(pictures, "cam", cam->path));
out:
    return st;
}

static rn_status make_folder(const predict_cam *cam)
{
    if (cam->path == NULL || is_one_picture(cam) || cli_is_folder(cam->path) ||
        mkdir(cam->path, 0777) == 0)
        return RN_OK;
    return rn_error(RN_EIO, "cannot create folder '%s': %s", cam->path, strerror(errno));
}

static rn_status find_shape(predict_cam *cam)
{
    const rn_graph *graph = cam->model->graph;

    for (int i = 0; i < rn_graph_nodes(graph); i++) {
        const rn_node *node = rn_graph_node(graph, i);
        if (strcmp(node->name, cam->layer) != 0)
            continue;
        cam->height = node->height;
        cam->width = node->width;
    }
    cam->map = calloc((size_t)cam->height * (size_t)cam->width, sizeof *cam->map);
    return cam->map != NULL ? RN_OK : rn_error(RN_ENOMEM, "no memory for a map");
}

rn_status predict_cam_init(predict_cam *cam, const cli_arguments *args, const rn_checkpoint *model,
                           const cli_names *pictures)
{
    rn_status st;

    *cam = (predict_cam){.path = cli_text(args, "cam"),
                         .raw_path = cli_text(args, "cam-raw"),
                         .model = model,
                         .class = -1};
    if (cam->path == NULL && cam->raw_path == NULL)
        return cli_given(args, "cam-class")
                   ? rn_error(RN_EINVAL, "'--cam-class' is given without '--cam' or '--cam-raw'")
                   : RN_OK;
    RN_TRY(rn_cam_layer(&cam->layer, model->graph));
    if (cli_given(args, "cam-class"))
        RN_TRY(find_class(&cam->class, model, cli_text(args, "cam-class")));
    RN_TRY(check_paths(cam, pictures));
    RN_TRY(find_shape(cam));
    RN_TRY(make_folder(cam));
    if (cam->raw_path != NULL)
        RN_TRY(rn_npy_create(&cam->raw, cam->raw_path, RN_NPY_FLOAT32, 2,
                             (const int[]){cam->height, cam->width}));
out:
    return st;
}

void predict_cam_release(predict_cam *cam)
{
    rn_npy_free(cam->raw);
    free(cam->map);
}

// "FOLDER/000001-cat.png" of the first picture, ".../cat.jpg"
static rn_status overlay_name(char **out, const predict_cam *cam, const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    int length = dot != NULL && dot > base ? (int)(dot - base) : (int)strlen(base);

    if (is_one_picture(cam))
        return cli_format(out, "%s", cam->path);
    return cli_format(out, "%s/%06d-%.*s.png", cam->path, cam->count, length > 200 ? 200 : length,
                      base);
}

static rn_status draw(const predict_cam *cam, const rn_picture *picture)
{
    rn_status st;
    rn_image *overlay = NULL;
    char *path = NULL;
    rn_heat_map map = {cam->map, cam->height, cam->width,
                       rn_preprocess_window(cam->model->preprocess, picture->image), opacity};

    RN_TRY(overlay_name(&path, cam, picture->name));
    RN_TRY(rn_heat_map_draw(&overlay, picture->image, &map));
    RN_TRY(rn_image_save(overlay, path));
out:
    rn_image_free(overlay);
    free(path);
    return st;
}

rn_status predict_cam_show(predict_cam *cam, const rn_predictor *predictor,
                           const rn_picture *picture, int most_probable)
{
    rn_status st;

    cam->count++;
    RN_TRY(rn_predictor_cam(predictor, 0, cam->class >= 0 ? cam->class : most_probable, cam->map));
    if (cam->raw != NULL)
        RN_TRY(rn_npy_append(cam->raw, cam->map, 1));
    if (cam->path != NULL)
        RN_TRY(draw(cam, picture));
out:
    return st;
}

rn_status predict_cam_finish(predict_cam *cam)
{
    return cam->raw != NULL ? rn_npy_commit(cam->raw) : RN_OK;
}
