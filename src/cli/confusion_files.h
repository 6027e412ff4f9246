/** Files of confusion matrices, and pictures as files. */
#ifndef CLI_CONFUSION_FILES_H
#define CLI_CONFUSION_FILES_H

#include "resnet/resnet.h"

/**
 * --confusion FILE[,FILE]...: each ends in .csv, .svg or .png, and can be written; NULL and "" are
 * legal. RN_EINVAL (another ending, an empty name); as cli_check_writable().
 */
rn_status cli_confusion_check(const char *files);
/** Whether one of them is this file; it need not be there yet. */
bool cli_confusion_names(const char *files, const char *path);
/** Write them. */
rn_status cli_confusion_write(const char *files, const rn_evaluation *evaluation,
                              char *const *names);

/** Draw into a file that ends in .png, or as SVG, which "-" takes to standard output. */
rn_status cli_confusion_draw(const char *path, const rn_confusion *confusion, const char *title,
                             int scale);

/** Write what is drawn: the image, or where it is NULL the SVG, "-" to standard output. */
rn_status cli_picture_write(const char *path, const char *svg, const rn_image *image);

#endif
