#include "base/memory.h"
#include "train/class_map.h"
#include "train/inference.h"

rn_status rn_check_size(const rn_checkpoint *model, const rn_samples *samples)
{
    const rn_model_options *options = &model->options;

    if (samples->photos != NULL ||
        (samples->channels == options->channels && samples->height == options->height &&
         samples->width == options->width))
        return RN_OK;
    return rn_error(RN_EINVAL, "%s has images of %d x %d x %d, the model takes %d x %d x %d",
                    samples->name, samples->channels, samples->height, samples->width,
                    options->channels, options->height, options->width);
}

rn_status rn_evaluate(rn_evaluation *out, const rn_checkpoint *model, bool ema,
                      const rn_samples *samples, const rn_evaluate_options *options)
{
    rn_status st = RN_OK;
    rn_inference *inference = NULL;
    const rn_evaluate_options given = options == NULL ? (rn_evaluate_options){0} : *options;
    const size_t classes = (size_t)model->options.classes;
    int32_t *map = NULL;

    *out = (rn_evaluation){0};
    RN_TRY(rn_samples_require_images(samples));
    RN_TRY(rn_class_map(&map, model, samples));
    RN_TRY(rn_check_size(model, samples));
    if (rn_tta_name(given.tta) == NULL)
        RN_TRY(rn_error(RN_EINVAL, "test-time augmentation %d is unknown", (int)given.tta));
    if (ema && model->ema == NULL) {
        st = rn_error(RN_EINVAL, "the model file has no averaged (EMA) weights");
        goto out;
    }
    RN_TRY(rn_inference_create(&inference, model->graph, model->ranges, given.engine,
                               given.batch == 0 ? RN_EVALUATION_BATCH : given.batch));
    RN_TRY(rn_inference_load(inference, ema ? model->ema : model->weights));
    if (given.confusion)
        RN_TRY(RN_NEW(&out->confusion, classes * classes));
    RN_TRY(rn_inference_evaluate(inference, out,
                                 &(rn_inference_set){.preprocess = model->preprocess,
                                                     .samples = samples,
                                                     .map = map,
                                                     .tta = given.tta,
                                                     .stop = given.stop}));
out:
    rn_free(map);
    rn_inference_free(inference);
    if (st != RN_OK)
        rn_evaluation_release(out);
    return st;
}

void rn_evaluation_release(rn_evaluation *evaluation)
{
    rn_free(evaluation->confusion);
    *evaluation = (rn_evaluation){0};
}
