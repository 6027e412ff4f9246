// The optimiser's updates, each element in double.
#include "engine/ref/ref.h"

// u = g + decay w; v = momentum v + u; w -= lr v, or with Nesterov lr (u + momentum v).
void rn_ref_sgd(const rn_sgd_update *s)
{
    double momentum = (double)s->momentum;

    for (size_t i = 0; i < s->count; i++) {
        double u = (double)s->gradient[i] + (double)s->decay * (double)s->value[i];
        double v = momentum * (double)s->velocity[i] + u;
        double move = s->nesterov ? u + momentum * v : v;
        s->velocity[i] = (float)v;
        s->value[i] = (float)((double)s->value[i] - (double)s->lr * move);
    }
}

void rn_ref_ema(float *average, const float *value, size_t count, float decay)
{
    for (size_t i = 0; i < count; i++)
        average[i] =
            (float)((double)decay * (double)average[i] + (1 - (double)decay) * (double)value[i]);
}
