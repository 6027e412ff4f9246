/** The recipes that come with the library. */
#ifndef TRAIN_RECIPE_BUILTIN_H
#define TRAIN_RECIPE_BUILTIN_H

#include "resnet/recipe.h"

/** Index from 0; NULL past the last. Static. */
const rn_recipe *rn_recipe_builtin(int index);

#endif
