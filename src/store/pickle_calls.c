#include "store/pickle_machine.h"

#include <string.h>

enum { SHOWN = 100 }; // most bytes of a name in a message

/** A name's bytes, without a NUL. */
typedef struct span {
    const char *text;
    size_t length;
} span;

static bool is_name(const char *name, span module, span member)
{
    return strlen(name) == module.length + 1 + member.length &&
           memcmp(name, module.text, module.length) == 0 && name[module.length] == '.' &&
           memcmp(name + module.length + 1, member.text, member.length) == 0;
}

static int shown(span name)
{
    return name.length > SHOWN ? SHOWN : (int)name.length;
}

static rn_status push_global(rn_machine *m, span module, span member)
{
    for (size_t i = 0; i < m->input.global_count; i++) {
        const rn_pickle_global *global = &m->input.globals[i];
        if (is_name(global->name, module, member))
            return rn_machine_push_value(
                m, &(rn_pickle_value){.kind = RN_PICKLE_GLOBAL, .global = global});
    }
    return rn_error(RN_EFORMAT,
                    "%s names '%.*s.%.*s', which is not allowed: no state dict needs it",
                    m->opcode->name, shown(module), module.text, shown(member), member.text);
}

rn_status rn_opcode_global(rn_machine *m)
{
    rn_status st = RN_OK;
    span module, member;

    RN_TRY(rn_machine_line(m, &module.text, &module.length));
    RN_TRY(rn_machine_line(m, &member.text, &member.length));
    st = push_global(m, module, member);
out:
    return st;
}

rn_status rn_opcode_stack_global(rn_machine *m)
{
    rn_status st = RN_OK;
    uint32_t ids[2];

    RN_TRY(rn_machine_pop(m, &ids[1]));
    RN_TRY(rn_machine_pop(m, &ids[0]));
    const rn_pickle_value *module = rn_pickle_get(m->pickle, ids[0]);
    const rn_pickle_value *member = rn_pickle_get(m->pickle, ids[1]);
    if (module->kind != RN_PICKLE_TEXT || member->kind != RN_PICKLE_TEXT)
        return rn_error(RN_EFORMAT, "%s of a name that is no text", m->opcode->name);
    st = push_global(m, (span){module->text, module->length}, (span){member->text, member->length});
out:
    return st;
}

static bool is_pair(const rn_pickle_value *value)
{
    return (value->kind == RN_PICKLE_TUPLE || value->kind == RN_PICKLE_LIST) && value->length == 2;
}

// [["key", value], ...] is how Python 2 writes an OrderedDict.
static rn_status push_dict_of_pairs(rn_machine *m, const rn_pickle_value *list)
{
    rn_status st = RN_OK;
    uint32_t id, item = list->items.first;

    RN_TRY(rn_pickle_add(m->pickle, &id, &(rn_pickle_value){.kind = RN_PICKLE_DICT}));
    for (uint32_t i = 0; i < list->length; i++) {
        const rn_pickle_value *pair = rn_pickle_next(m->pickle, &item);
        if (!is_pair(pair))
            return rn_error(RN_EFORMAT, "%s of a dict, item %u is no pair", m->opcode->name, i);
        RN_TRY(rn_pickle_append(m->pickle, id, rn_pickle_item_id(m->pickle, pair->items.first)));
        RN_TRY(rn_pickle_append(m->pickle, id, rn_pickle_item_id(m->pickle, pair->items.last)));
    }
    st = rn_machine_push(m, id);
out:
    return st;
}

static rn_status push_dict(rn_machine *m, const rn_pickle_value *args)
{
    const rn_pickle_value *first = rn_pickle_item(m->pickle, args, 0);

    if (first != NULL && first->kind == RN_PICKLE_DICT)
        return rn_machine_push(m, rn_pickle_item_id(m->pickle, args->items.first));
    if (first != NULL && first->kind == RN_PICKLE_LIST)
        return push_dict_of_pairs(m, first);
    return rn_machine_push_value(m, &(rn_pickle_value){.kind = RN_PICKLE_DICT});
}

static rn_status push_result(rn_machine *m, uint32_t callee, uint32_t args)
{
    const rn_pickle_global *global = rn_pickle_get(m->pickle, callee)->global;
    const rn_pickle_value *tuple = rn_pickle_get(m->pickle, args);

    if (global->role == RN_PICKLE_TO_DICT)
        return push_dict(m, tuple);
    if (global->role == RN_PICKLE_TO_FIRST && tuple->length > 0)
        return rn_machine_push(m, rn_pickle_item_id(m->pickle, tuple->items.first));
    if (global->role != RN_PICKLE_CONSTANT)
        return rn_machine_push_value(
            m, &(rn_pickle_value){.kind = RN_PICKLE_CALL, .call = {callee, args}});
    return rn_error(RN_EFORMAT, "%s calls '%s', which is not allowed: no state dict needs it",
                    m->opcode->name, global->name);
}

rn_status rn_opcode_call(rn_machine *m)
{
    rn_status st = RN_OK;
    uint32_t callee, args;

    RN_TRY(rn_machine_pop(m, &args));
    RN_TRY(rn_machine_pop(m, &callee));
    if (rn_pickle_get(m->pickle, callee)->kind != RN_PICKLE_GLOBAL)
        st = rn_error(RN_EFORMAT, "%s calls a value that is no global", m->opcode->name);
    else if (rn_pickle_get(m->pickle, args)->kind != RN_PICKLE_TUPLE)
        st = rn_error(RN_EFORMAT, "%s with arguments that are no tuple", m->opcode->name);
    else
        st = push_result(m, callee, args);
out:
    return st;
}

// Gives an object its attributes. Old versions make a tensor of nothing, and then give it what
// others have as arguments; elsewhere attributes tell nothing about tensors.
rn_status rn_opcode_build(rn_machine *m)
{
    rn_status st = RN_OK;
    uint32_t attributes;

    RN_TRY(rn_machine_pop(m, &attributes));
    RN_TRY(rn_machine_require(m, 1));
    rn_pickle_value *object = rn_pickle_get(m->pickle, m->stack.ids[m->stack.count - 1]);
    if (object->kind != RN_PICKLE_DICT && object->kind != RN_PICKLE_CALL) {
        st = rn_error(RN_EFORMAT, "%s on a value that is no object", m->opcode->name);
        goto out;
    }
    if (object->kind == RN_PICKLE_CALL &&
        rn_pickle_get(m->pickle, object->call.args)->length == 0 &&
        rn_pickle_get(m->pickle, attributes)->kind == RN_PICKLE_TUPLE)
        object->call.args = attributes;
out:
    return st;
}

rn_status rn_opcode_persistent(rn_machine *m)
{
    rn_status st = RN_OK;
    uint32_t name;

    RN_TRY(rn_machine_pop(m, &name));
    st = rn_machine_push_value(m,
                               &(rn_pickle_value){.kind = RN_PICKLE_PERSISTENT, .call.args = name});
out:
    return st;
}
