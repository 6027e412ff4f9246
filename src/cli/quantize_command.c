#include "cli/bad_images.h"
#include "cli/command.h"
#include "cli/model_change.h"
#include "cli/model_file.h"
#include "cli/term.h"

#include <string.h>

static int count_ranges(const rn_checkpoint *model)
{
    int count = 0;

    for (int i = 0; i < rn_graph_nodes(model->graph); i++)
        count += rn_range_known(&model->ranges[i]);
    return count;
}

static void print_report(const cli_model_change *c, const rn_calibrate_options *options,
                         const char *out)
{
    printf("%s: ranges of %d tensors%s, from %s images of %s\n", c->model->model,
           count_ranges(c->model), c->ema ? ", weights averaged (EMA)" : "",
           cli_count((int64_t)options->images).text, c->train->name);
    if (c->test != NULL)
        cli_change_print_errors(c);
    printf("\nwrote %s\n", out);
}

static rn_status print_json(const cli_model_change *c, const rn_calibrate_options *options,
                            const char *out)
{
    cJSON *json = cJSON_CreateObject(), *ranges;

    cli_change_json(json, c, out);
    cli_json_add(json, "images", (double)options->images);
    ranges = cJSON_AddObjectToObject(json, "ranges");
    for (int i = 0; i < rn_graph_nodes(c->model->graph); i++) {
        const rn_range *range = &c->model->ranges[i];
        const double bounds[2] = {(double)range->low, (double)range->high};
        if (rn_range_known(range))
            cJSON_AddItemToObject(ranges, rn_graph_node(c->model->graph, i)->name,
                                  cJSON_CreateDoubleArray(bounds, 2));
    }
    return cli_print_json(json);
}

static rn_status run_quantize(const cli_arguments *args)
{
    rn_status st;
    cli_model_change c = {0};
    rn_calibrate_options options = {.images = (uint64_t)cli_integer(args, "images")};
    rn_export_options export = {.format = RN_FILE_RESNET};
    const char *out = cli_text(args, "out");

    if (strcmp(cli_text(args, "engine"), "ref") == 0)
        return rn_error(RN_EINVAL, "'--engine ref' multiplies no bytes: 'after' would be 'before'");
    RN_TRY(cli_change_open(&c, args));
    rn_checkpoint_forget_ranges(c.model); // of an earlier time
    options.engine = c.engine;
    options.batch = c.batch;
    options.ema = c.ema;
    export.last = !c.ema;
    if (options.images > c.train->count)
        options.images = c.train->count;
    RN_TRY(cli_change_evaluate(&c, &c.before));
    RN_TRY(rn_calibrate(c.model, c.train, &options));
    RN_TRY(cli_change_evaluate(&c, &c.after));
    RN_TRY(rn_model_save(c.model, out, &export));
    if (cli_flag(args, "json"))
        st = print_json(&c, &options, out);
    else
        print_report(&c, &options, out);
out:
    cli_change_release(&c);
    return st;
}

static const cli_option options[] = {
    CLI_CHANGE_OPTIONS("whose ranges"),
    {.name = "images",
     .letter = 'n',
     .kind = CLI_INTEGER,
     .argument = "N",
     .help = "how many training pictures to measure ranges on, evenly over the set",
     .fallback = "512",
     .low = 1,
     .high = 4294967295},
    CLI_BAD_IMAGES_OPTION("test pictures that cannot be read: name each and go on, or end", "skip"),
    CLI_BATCH_OPTION,
    CLI_THREADS_OPTION,
    CLI_ENGINE_OPTION,
    CLI_JSON_OPTION,
    CLI_FILE_OPTIONS,
    {0}};

const cli_command cli_quantize = {
    .name = "quantize",
    .usage = "MODEL-FILE|RUN",
    .summary = "make a model file whose convolutions multiply bytes",
    .description =
        "Measure the ranges of what convolutions read, on training pictures, and write them into a "
        "model file: wherever that is evaluated or predicts, its convolutions then multiply "
        "bytes (int8) instead of floats, four for one where the processor has instructions for it "
        "(AVX-512 VNNI). Elsewhere they give the same, slowly.\n\nA byte stands for a source "
        "value, "
        "with one step for a whole tensor, and one for a weight, with a step for each output "
        "channel; batch norms are folded in first. The first convolution, which reads pixels, and "
        "linear layers stay in float32, as do the weights in the file, which are those that "
        "--weights "
        "says, without the state of a training. A range is cut where the "
        "sum of squared errors is least. '--dtype float32' of 'eval' and 'predict' leaves the "
        "ranges "
        "alone.\n\nFILE is written whole or not at all.",
    .examples = "resnet quantize runs/resnet-20 --data data -o bytes.safetensors\n"
                "resnet eval bytes.safetensors --data data",
    .least = 1,
    .most = 1,
    .word = CLI_WORD_FILE,
    .options = options,
    .run = run_quantize,
};
