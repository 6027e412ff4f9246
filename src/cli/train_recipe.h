/** The recipe's options of a command, such as `resnet train`. */
#ifndef CLI_TRAIN_RECIPE_H
#define CLI_TRAIN_RECIPE_H

#include "cli/options.h"

#include "resnet/resnet.h"

/** Lay the options that were given over a recipe. */
rn_status cli_recipe_apply(rn_recipe *recipe, const cli_arguments *args);

/** A recipe by its name or file, with the options. */
rn_status cli_recipe_named(rn_recipe *recipe, const cli_arguments *args, const char *name);

/** The recipe of a new run: of --recipe, else the default for model and data, with the options. */
rn_status cli_recipe_choose(rn_recipe *recipe, const cli_arguments *args, const char *model);

/** RN_EINVAL if an option asks for something else than the recipe of the run being resumed. */
rn_status cli_recipe_agree(const rn_recipe *recipe, const cli_arguments *args);

#endif
