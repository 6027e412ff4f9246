/** The one table of a recipe's JSON keys, and reading and writing a field through it. */
#ifndef TRAIN_RECIPE_FIELD_H
#define TRAIN_RECIPE_FIELD_H

#include "resnet/recipe.h"

#include "base/json.h"

typedef enum recipe_type {
    RECIPE_TEXT, // char[64]
    RECIPE_DOUBLE,
    RECIPE_INT,
    RECIPE_UINT64,
    RECIPE_BOOL,
    RECIPE_CHOICE, // an enum, stored as unsigned
    RECIPE_LIST,   // the milestones
    RECIPE_SIZES   // progressive, as a text
} recipe_type;

typedef struct recipe_field {
    const char *key;
    recipe_type type;
    size_t offset;    // in rn_recipe
    double low, high; // of a number
    bool above_low;   // low itself is not allowed
    bool below_high;  // high itself is not allowed
    const char *(*choice)(int index);
} recipe_field;

/** Index from 0; NULL past the last. */
const recipe_field *rn_recipe_field(int index);
/** The field with this key, or NULL. */
const recipe_field *rn_recipe_field_find(const char *key);

/**
 * Store a JSON value. The message starts with `what` and names key, value and expectation.
 *
 * @param code  What a wrong value is: RN_EFORMAT in a file, RN_EINVAL in an option.
 */
rn_status rn_recipe_field_store(rn_recipe *recipe, const recipe_field *field, const cJSON *item,
                                rn_status code, const char *what);

/** The field as JSON value, the caller's; NULL if out of memory. */
cJSON *rn_recipe_field_json(const rn_recipe *recipe, const recipe_field *field);

/** Text of an option as JSON value: where it does not fit the field's type, as a JSON text. */
cJSON *rn_recipe_field_from_text(const recipe_field *field, const char *text);

/** RN_EINVAL if the recipe's value of this field is one that could not have been stored. */
rn_status rn_recipe_field_check(const rn_recipe *recipe, const recipe_field *field,
                                const char *what);

#endif
