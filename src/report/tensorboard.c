// Events for TensorBoard: TensorFlow's Event messages (event.proto, summary.proto, tensor.proto),
// with the numbers that its fields have there.
#include "resnet/report.h"

#include "base/memory.h"
#include "report/event_file.h"
#include "store/protobuf.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum event_field {
    EVENT_TIME = 1,
    EVENT_STEP,
    EVENT_VERSION,
    EVENT_SUMMARY = 5,
    EVENT_SESSION = 7
};
enum session_field { SESSION_STATUS = 1 };
enum summary_field { SUMMARY_VALUE = 1 };
enum value_field { VALUE_TAG = 1, VALUE_NUMBER, VALUE_TENSOR = 8, VALUE_METADATA };
enum metadata_field { METADATA_PLUGIN = 1, PLUGIN_NAME = 1 };
enum tensor_field { TENSOR_TYPE = 1, TENSOR_SHAPE, TENSOR_TEXT = 8, SHAPE_SIDE = 2, SIDE_SIZE = 1 };

enum { SESSION_STARTS = 1, TYPE_TEXT = 7, TAG = 128 };

struct rn_tensorboard {
    rn_event_file *file;
    char *recipe; // as JSON
};

// One event

// The time on the clock, in seconds since 1970.
static double wall_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static rn_message begin_event(uint64_t step)
{
    rn_message event = {0};

    rn_message_double(&event, EVENT_TIME, wall_time());
    rn_message_int(&event, EVENT_STEP, (int64_t)step);
    return event;
}

// Write the event, and release it.
static rn_status finish_event(rn_tensorboard *board, rn_message *event)
{
    rn_status st = event->status;

    if (st == RN_OK)
        st = rn_event_file_append(board->file, event->bytes, event->size);
    rn_message_release(event);
    return st;
}

static rn_status finish_summary(rn_tensorboard *board, uint64_t step, rn_message *summary)
{
    rn_message event = begin_event(step);

    rn_message_append(&event, EVENT_SUMMARY, summary);
    return finish_event(board, &event);
}

static void add_scalar(rn_message *summary, const char *group, const char *name, double value)
{
    rn_message item = {0};
    char tag[TAG];

    snprintf(tag, sizeof tag, "%s%s%s", group, *group != '\0' ? "/" : "", name);
    rn_message_text(&item, VALUE_TAG, tag);
    rn_message_float(&item, VALUE_NUMBER, (float)value);
    rn_message_append(summary, SUMMARY_VALUE, &item);
}

// A tensor with one text, which the plugin named "text" shows as Markdown.
static void add_text(rn_message *summary, const char *tag, const char *text)
{
    rn_message item = {0}, tensor = {0}, shape = {0}, side = {0}, metadata = {0}, plugin = {0};

    rn_message_text(&plugin, PLUGIN_NAME, "text");
    rn_message_append(&metadata, METADATA_PLUGIN, &plugin);
    rn_message_int(&side, SIDE_SIZE, 1);
    rn_message_append(&shape, SHAPE_SIDE, &side);
    rn_message_int(&tensor, TENSOR_TYPE, TYPE_TEXT);
    rn_message_append(&tensor, TENSOR_SHAPE, &shape);
    rn_message_text(&tensor, TENSOR_TEXT, text);
    rn_message_text(&item, VALUE_TAG, tag);
    rn_message_append(&item, VALUE_TENSOR, &tensor);
    rn_message_append(&item, VALUE_METADATA, &metadata);
    rn_message_append(summary, SUMMARY_VALUE, &item);
}

// The start of a file and of a training

static rn_status create_file(rn_tensorboard *board, const char *folder)
{
    rn_message event = {0};

    rn_message_double(&event, EVENT_TIME, wall_time());
    rn_message_text(&event, EVENT_VERSION, "brain.Event:2");
    rn_status st = event.status;
    if (st == RN_OK)
        st = rn_event_file_create(&board->file, folder, event.bytes, event.size);
    rn_message_release(&event);
    return st;
}

// What an earlier process logged from this step on was lost with it, and comes again: TensorBoard
// then forgets it. Events of the step that a checkpoint was made at stay.
static rn_status write_session_start(rn_tensorboard *board, uint64_t done)
{
    rn_message event = begin_event(done > 0 ? done + 1 : 0), session = {0};

    rn_message_int(&session, SESSION_STATUS, SESSION_STARTS);
    rn_message_append(&event, EVENT_SESSION, &session);
    return finish_event(board, &event);
}

static rn_status write_recipe(rn_tensorboard *board, const rn_event *event)
{
    rn_status st = RN_OK;
    rn_message summary = {0};
    char *text = NULL;

    RN_TRY(rn_format(&text, "%s\n\n```\n%s\n```\n", event->text != NULL ? event->text : "",
                     board->recipe));
    add_text(&summary, "recipe/text_summary", text);
    st = finish_summary(board, event->iteration, &summary);
out:
    rn_free(text);
    return st;
}

static rn_status write_start(rn_tensorboard *board, const rn_event *event)
{
    rn_status st = write_session_start(board, event->iteration);

    return st == RN_OK ? write_recipe(board, event) : st;
}

// What is measured on the way

static rn_status write_step(rn_tensorboard *board, const rn_event *event)
{
    rn_message summary = {0};

    add_scalar(&summary, "train", "loss", event->loss);
    add_scalar(&summary, "train", "error", event->error);
    add_scalar(&summary, "", "lr", event->lr);
    add_scalar(&summary, "", "images_per_second", event->images_per_second);
    add_scalar(&summary, "", "data_wait", event->data_wait);
    add_scalar(&summary, "", "memory", event->memory);
    return finish_summary(board, event->iteration, &summary);
}

// "test (ema)" is "test": one curve, whatever the weights are.
static rn_status write_evaluation(rn_tensorboard *board, const rn_event *event)
{
    rn_message summary = {0};
    const char *set = event->set != NULL ? event->set : "test";
    char group[TAG / 2];

    snprintf(group, sizeof group, "%.*s", (int)strcspn(set, " "), set);
    add_scalar(&summary, group, "loss", event->loss);
    add_scalar(&summary, group, "error", event->error);
    return finish_summary(board, event->iteration, &summary);
}

static rn_status write_gradients(rn_tensorboard *board, const rn_event *event)
{
    rn_message summary = {0};

    for (int i = 0; i < event->norm_count; i++) {
        const rn_param_norm *norm = &event->norms[i];
        add_scalar(&summary, "gradients", norm->name, norm->gradient);
        add_scalar(&summary, "weights", norm->name, norm->value);
    }
    return finish_summary(board, event->iteration, &summary);
}

rn_status rn_tensorboard_write(rn_tensorboard *board, const rn_event *event)
{
    switch (event->kind) {
    case RN_EVENT_START:
        return write_start(board, event);
    case RN_EVENT_STEP:
        return write_step(board, event);
    case RN_EVENT_EVALUATION:
        return write_evaluation(board, event);
    case RN_EVENT_GRADIENTS:
        return write_gradients(board, event);
    case RN_EVENT_RESUME:
    case RN_EVENT_CHECKPOINT:
    case RN_EVENT_NOTE:
    case RN_EVENT_END:
        break;
    }
    return RN_OK;
}

rn_status rn_tensorboard_open(rn_tensorboard **out, const char *folder, const rn_recipe *recipe)
{
    rn_status st = RN_OK;
    rn_tensorboard *board = NULL;

    *out = NULL;
    RN_TRY(RN_NEW(&board, 1));
    RN_TRY(rn_recipe_print(&board->recipe, recipe));
    RN_TRY(create_file(board, folder));
    *out = board;
    board = NULL; // now the caller's
out:
    rn_tensorboard_close(board);
    return st;
}

void rn_tensorboard_close(rn_tensorboard *board)
{
    if (board == NULL)
        return;
    rn_event_file_close(board->file);
    rn_free(board->recipe);
    rn_free(board);
}
