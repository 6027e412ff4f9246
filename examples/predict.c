// predict MODEL-FILE PICTURE: what the network takes the picture for.
#include <resnet/resnet.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    rn_predictor *predictor = NULL;
    rn_image *image = NULL;
    const float *p; // probabilities, [batch][classes]
    int best = 0;
    bool ok = argc == 3 && rn_predictor_create(&predictor, argv[1], 1, "cpu") == RN_OK &&
              rn_image_open(&image, argv[2]) == RN_OK &&
              rn_predictor_set(predictor, 0, image) == RN_OK &&
              rn_predictor_run(predictor, &p) == RN_OK;

    for (int i = 0; ok && i < rn_predictor_classes(predictor); i++)
        best = p[i] > p[best] ? i : best;
    if (ok)
        printf("%.1f%% %s\n", 100 * p[best], rn_predictor_label(predictor, best));
    else
        fprintf(stderr, "predict: %s\n", argc == 3 ? rn_error_message() : "two files, please");
    rn_image_free(image);
    rn_predictor_free(predictor);
    return ok ? 0 : 1;
}
