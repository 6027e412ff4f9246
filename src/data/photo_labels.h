/** Files beside folders of pictures: names of classes, and labels of pictures without folders. */
#ifndef DATA_PHOTO_LABELS_H
#define DATA_PHOTO_LABELS_H

#include "data/class_list.h"
#include "data/photo_list.h"

/** A folder where such files may lie; a list of them ends with a NULL path. */
typedef struct rn_label_folder {
    char *path;
    bool above; // the data, so that its files may be a stranger's
} rn_label_folder;

/**
 * Name the classes from the first of classes.txt, synset_words.txt and LOC_synset_mapping.txt that
 * lies beside them: lines "KEY NAME". A file that does not have all the keys is of other classes,
 * and passed over, as is one above the data that cannot be read or is no such list.
 *
 * @param folders  Looked into in this order.
 * @return RN_OK, also where there is no such file; RN_EIO; RN_EFORMAT; RN_ENOMEM.
 */
rn_status rn_photo_labels_name(rn_class_list *classes, const rn_label_folder *folders);

/**
 * Label ImageNet's validation pictures, which lie in one folder, from LOC_val_solution.csv
 * (columns ImageId, PredictionString: a WordNet id and boxes) or from the devkit's
 * ILSVRC2012_validation_ground_truth.txt: the number of a class a line, in the order of the
 * pictures' names. What the numbers mean says the devkit's meta.mat, in whose place a list of
 * classes in its order is needed, one of the files above.
 *
 * @param list     Sorted by name.
 * @param classes  Sorted; if empty, all that the file or list has.
 * @return RN_OK; RN_ENOTFOUND (says what was looked for); RN_EFORMAT (names the file and what is
 *         wrong); RN_EIO; RN_ENOMEM.
 */
rn_status rn_photo_labels_read(rn_photo_list *list, rn_class_list *classes,
                               const rn_label_folder *folders);

#endif
