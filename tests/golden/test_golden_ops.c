// Single ops, forward and backward, against PyTorch in float64 on small odd shapes; both engines.
#include "engine/op_harness.h"
#include "golden/golden.h"
#include "resnet/engine.h"

// The kinds that make one golden op, forward first.
typedef struct op_family {
    const char *name;
    rn_op_kind kinds[3];
    int count;
} op_family;

static const op_family families[] = {
    {"conv", {RN_OP_CONV, RN_OP_CONV_BACKWARD_DATA, RN_OP_CONV_BACKWARD_WEIGHTS}, 3},
    {"linear", {RN_OP_LINEAR, RN_OP_LINEAR_BACKWARD_DATA, RN_OP_LINEAR_BACKWARD_WEIGHTS}, 3},
    {"batch_norm", {RN_OP_BATCH_NORM_TRAIN, RN_OP_BATCH_NORM_BACKWARD}, 2},
    {"batch_norm_inference", {RN_OP_BATCH_NORM_INFER}, 1},
    {"max_pool", {RN_OP_MAX_POOL, RN_OP_MAX_POOL_BACKWARD}, 2},
    {"average_pool", {RN_OP_AVERAGE_POOL, RN_OP_AVERAGE_POOL_BACKWARD}, 2},
    {"gate", {RN_OP_GATE, RN_OP_GATE_BACKWARD}, 2},
    {"flatten", {RN_OP_FLATTEN, RN_OP_FLATTEN_BACKWARD}, 2},
    {"shortcut_pad", {RN_OP_SHORTCUT_PAD, RN_OP_SHORTCUT_PAD_BACKWARD}, 2},
    {"cross_entropy", {RN_OP_CROSS_ENTROPY}, 1},
};

// Parts of the golden file by their argument; inputs have a range to be drawn from.
typedef struct op_part {
    const char *name;
    rn_arg arg;
    double low, high;
} op_part;

static const op_part parts[] = {
    {"src", RN_ARG_SRC, -1, 1},
    {"src2", RN_ARG_SRC2, -1, 1},
    {"weights", RN_ARG_WEIGHTS, -1, 1},
    {"bias", RN_ARG_BIAS, -1, 1},
    {"mean", RN_ARG_RUNNING_MEAN, -1, 1},
    {"variance", RN_ARG_RUNNING_VARIANCE, 0.5, 1.5},
    {"diff_dst", RN_ARG_DIFF_DST, -1, 1},
    {"dst", RN_ARG_DST, 0, 0},
    {"diff_src", RN_ARG_DIFF_SRC, 0, 0},
    {"diff_src2", RN_ARG_DIFF_SRC2, 0, 0},
    {"diff_weights", RN_ARG_DIFF_WEIGHTS, 0, 0},
    {"diff_bias", RN_ARG_DIFF_BIAS, 0, 0},
};

enum { PARTS = sizeof parts / sizeof *parts, FAMILIES = sizeof families / sizeof *families };

static double number_or(const cJSON *object, const char *key, double otherwise)
{
    return cJSON_HasObjectItem(object, key) ? golden_number(object, key) : otherwise;
}

static const op_family *find_family(const cJSON *options)
{
    const char *kind = golden_member(options, "kind")->valuestring;

    if (number_or(options, "training", 1) == 0)
        kind = "batch_norm_inference";
    for (int i = 0; i < FAMILIES; i++)
        if (strcmp(families[i].name, kind) == 0)
            return &families[i];
    fail_msg("unknown op '%s'", kind);
    return NULL;
}

static rn_tensor_desc source_desc(const cJSON *options, rn_layout layout)
{
    bool image = cJSON_HasObjectItem(options, "h");

    return (rn_tensor_desc){.layout = image ? layout : RN_LAYOUT_NC,
                            .n = (int)golden_number(options, "n"),
                            .c = (int)golden_number(options, "c"),
                            .h = (int)number_or(options, "h", 1),
                            .w = (int)number_or(options, "w", 1)};
}

static rn_op_desc describe(const cJSON *options, const op_family *family, rn_layout layout)
{
    rn_op_desc d = {
        .kind = family->kinds[0],
        .src = source_desc(options, layout),
        .kernel = (int)number_or(options, "kernel", 1),
        .stride = (int)number_or(options, "stride", 1),
        .pad = (int)number_or(options, "pad", 0),
        .bias = number_or(options, "bias", 0) != 0,
        .relu = number_or(options, "relu", 0) != 0,
        .add = number_or(options, "add", 0) != 0,
        .complement = number_or(options, "complement", 0) != 0,
        .training = true,
        .epsilon = 1e-5f,
        .momentum = 0.1f,
        .label_smoothing = (float)number_or(options, "smoothing", 0),
        .mixed = number_or(options, "mixed", 0) != 0,
    };

    d.dst = d.src;
    d.dst.c = (int)number_or(options, "out", d.src.c);
    d.dst.h = (d.src.h + 2 * d.pad - d.kernel) / d.stride + 1;
    d.dst.w = (d.src.w + 2 * d.pad - d.kernel) / d.stride + 1;
    d.channel_offset = (d.dst.c - d.src.c) / 2;
    int width = d.kind == RN_OP_AVERAGE_POOL ? d.src.c
                : d.kind == RN_OP_FLATTEN    ? d.src.c * d.src.h * d.src.w
                                             : 0;
    if (width > 0)
        d.dst = (rn_tensor_desc){.layout = RN_LAYOUT_NC, .n = d.src.n, .c = width, .h = 1, .w = 1};
    return d;
}

static rn_stream part_stream(const char *op, const char *part)
{
    char name[128];

    snprintf(name, sizeof name, "%s/%s", op, part);
    return derived_stream(1, name, 0);
}

static void draw_inputs(harness_values *v, const rn_op_desc *d, const char *op)
{
    harness_draw(v, d, 1); // allocates; what it draws is replaced
    for (int i = 0; i < PARTS; i++) {
        bool wide = d->kind == RN_OP_CROSS_ENTROPY ||
                    (d->kind == RN_OP_GATE && parts[i].arg == RN_ARG_SRC2);
        double scale = wide ? 4 : 1, low = parts[i].low;
        bool gain = parts[i].arg == RN_ARG_WEIGHTS &&
                    (d->kind == RN_OP_BATCH_NORM_TRAIN || d->kind == RN_OP_BATCH_NORM_INFER);
        if (parts[i].low < parts[i].high)
            derived_values(v->arg[parts[i].arg], harness_count(d, parts[i].arg),
                           part_stream(op, parts[i].name), gain ? 0.5 : scale * low,
                           gain ? 1.5 : scale * parts[i].high);
    }
    derived_labels(v->labels, d->src.n, part_stream(op, "labels"), d->src.c);
    derived_labels(v->labels_b, d->src.n, part_stream(op, "labels_b"), d->src.c);
    derived_values(v->shares, (size_t)d->src.n, part_stream(op, "shares"), 0, 1);
}

// One kind after the other; each reads what the one before has left in `v`.
static void run_family(harness_values *v, rn_op_desc d, const op_family *family, rn_engine *engine)
{
    const harness_maker maker = {harness_engine_create, engine};
    harness_op op;

    for (int i = 0; i < family->count; i++) {
        d.kind = family->kinds[i];
        harness_open(&op, &maker, &d);
        harness_load(&op, v);
        harness_execute(&op);
        harness_store(&op, v, v);
        harness_close(&op);
    }
}

static void compare_part(golden_report *report, const rn_op_desc *d, const cJSON *row,
                         const harness_values *v)
{
    char name[128];
    float loss = (float)v->loss.loss;

    snprintf(name, sizeof name, "%s/%s", report->group, row->string);
    if (d->kind == RN_OP_CROSS_ENTROPY && strcmp(row->string, "dst") == 0) {
        golden_compare(report, row, name, &loss, 1);
        return;
    }
    for (int i = 0; i < PARTS; i++)
        if (strcmp(parts[i].name, row->string) == 0) {
            golden_compare(report, row, name, v->arg[parts[i].arg], harness_count(d, parts[i].arg));
            return;
        }
    fail_msg("%s: unknown part", name);
}

// Number of ops (0 or 1) that differ too much.
static int compare_op(const cJSON *json, const cJSON *options, rn_engine *engine)
{
    const op_family *family = find_family(options);
    rn_op_desc d = describe(options, family, engine->layout);
    golden_report report = golden_report_of(json, options->string, 1);
    const cJSON *row, *rows = golden_member(golden_member(json, "groups"), options->string);
    harness_values v;

    draw_inputs(&v, &d, options->string);
    run_family(&v, d, family, engine);
    cJSON_ArrayForEach(row, rows) compare_part(&report, &d, row, &v);
    harness_values_release(&v);
    golden_print(&report);
    return !golden_within(&report);
}

static void ops_agree(void **state)
{
    cJSON *json = golden_open("ops");
    const cJSON *options;
    rn_engine *engine = NULL;
    int failures = 0;

    if (rn_engine_create(&engine, *state) != RN_OK)
        fail_msg("%s", rn_error_message());
    golden_print_head(engine->description);
    cJSON_ArrayForEach(options, golden_member(json, "ops")) failures +=
        compare_op(json, options, engine);
    rn_engine_free(engine);
    cJSON_Delete(json);
    if (failures > 0)
        fail_msg("%d ops differ too much from PyTorch", failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"ref", ops_agree, NULL, NULL, "ref"},
        {"cpu", ops_agree, NULL, NULL, "cpu"},
    };

    return cmocka_run_group_tests_name("golden ops", tests, NULL, NULL);
}
