/** The middle of a picture. */
#ifndef AUGMENT_CENTRE_H
#define AUGMENT_CENTRE_H

#include "resnet/augment.h"

/** What a network of this input is shown of a picture where nothing says otherwise. */
double rn_usual_centre_ratio(int height, int width);

/** Half of an even or odd number, halves to the even: Python's round(), which CenterCrop takes. */
static inline int64_t rn_half_to_even(int64_t number)
{
    int64_t half = number / 2;

    return number % 2 == 0 ? half : half + half % 2;
}

#endif
