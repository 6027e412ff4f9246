/** Written by make_onnx.py. */
#ifndef STORE_ONNX_EXPECTED_H
#define STORE_ONNX_EXPECTED_H

/** One file of onnx/: the spec that its structure tells, and PyTorch's logits. */
static const struct {
    const char *file, *spec;
    int size; // of the input
    double tolerance;
    float logits[6];
} onnx_expected[] = {
    {"script-folded.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=A",
     8,
     1e-05,
     {0.770475924f, 0.876669645f, -0.286410719f, 1.06167245f, 0.499810368f, 0.129663885f}},
    {"script-plain.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=A",
     8,
     1e-05,
     {0.770475924f, 0.876669645f, -0.286410719f, 1.06167245f, 0.499810368f, 0.129663885f}},
    {"script-bottleneck.onnx",
     "resnet:units=2,1;block=bottleneck;width=2;stem=imagenet;unit=original;shortcut=B;stride=3x3",
     32,
     1e-05,
     {-2.21323872f, -6.06745911f, 3.20161104f, -2.10781574f, -6.03227901f, 3.32022738f}},
    {"script-preact.onnx",
     "resnet:units=2,1;block=basic;width=2;stem=cifar;unit=preact;shortcut=B",
     8,
     1e-05,
     {1.61668944f, 1.64007926f, -0.808939278f, 1.2728132f, 1.40862608f, -0.779830575f}},
    {"default.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=A",
     8,
     1e-05,
     {0.770475924f, 0.876669645f, -0.286410719f, 1.06167245f, 0.499810368f, 0.129663885f}},
    {"fresh.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=B",
     8,
     1e-05,
     {-0.0677614063f, 0.0122770555f, 0.243061289f, -0.0395243578f, 0.0375370011f, 0.264080614f}},
    {"dynamo.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=A",
     8,
     1e-05,
     {0.770475924f, 0.876669645f, -0.286410719f, 1.06167245f, 0.499810368f, 0.129663885f}},
    {"typed.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=B",
     8,
     1e-05,
     {-0.832359791f, 1.68040574f, 1.03750324f, -0.320825458f, 1.59765136f, 0.997938991f}},
    {"half.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=B",
     8,
     0.02,
     {-0.832359791f, 1.68040574f, 1.03750324f, -0.320825458f, 1.59765136f, 0.997938991f}},
    {"bfloat.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=B",
     8,
     0.2,
     {-0.832359791f, 1.68040574f, 1.03750324f, -0.320825458f, 1.59765136f, 0.997938991f}},
    {"double.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=A",
     8,
     1e-05,
     {0.770475924f, 0.876669645f, -0.286410719f, 1.06167245f, 0.499810368f, 0.129663885f}},
    {"biased.onnx",
     "resnet:units=1,1,1;block=basic;width=2;stem=cifar;unit=original;shortcut=B",
     8,
     1e-05,
     {-0.832359791f, 1.68040574f, 1.03750324f, -0.320825458f, 1.59765136f, 0.997938991f}},
};

#endif
