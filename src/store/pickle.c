#include "store/pickle_machine.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

enum { NUMBER_TEXT = 24 }; // longer decimal numbers have more than 64 bits

static rn_status run_proto(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t protocol;

    RN_TRY(rn_machine_number(m, &protocol));
    if (protocol < 1 || protocol > 5)
        st = rn_error(RN_EFORMAT, "protocol %llu, expected 1 to 5", (unsigned long long)protocol);
out:
    return st;
}

// A frame only tells how much may be read at once.
static rn_status run_frame(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t length;

    RN_TRY(rn_machine_number(m, &length));
    if (length > m->input.size - m->at)
        st = rn_error(RN_EFORMAT, "FRAME of %llu bytes, %zu are left", (unsigned long long)length,
                      m->input.size - m->at);
out:
    return st;
}

static rn_status run_stop(rn_machine *m)
{
    m->stopped = true;
    return rn_machine_pop(m, &m->pickle->root);
}

static rn_status run_mark(rn_machine *m)
{
    return rn_machine_add(&m->marks, (uint32_t)m->stack.count);
}

static rn_status run_none(rn_machine *m)
{
    return rn_machine_push(m, RN_PICKLE_NONE_ID);
}

static rn_status run_true(rn_machine *m)
{
    return rn_machine_push(m, RN_PICKLE_TRUE_ID);
}

static rn_status run_false(rn_machine *m)
{
    return rn_machine_push(m, RN_PICKLE_FALSE_ID);
}

static rn_status run_unit(rn_machine *m)
{
    return rn_machine_push(m, RN_PICKLE_UNIT_ID);
}

static rn_status run_empty(rn_machine *m)
{
    return rn_machine_push_value(m, &(rn_pickle_value){.kind = (uint8_t)m->opcode->kind});
}

static rn_status run_integer(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t number;

    RN_TRY(rn_machine_number(m, &number));
    int64_t integer = m->opcode->width == 4 ? (int32_t)(uint32_t)number : (int64_t)number;
    st =
        rn_machine_push_value(m, &(rn_pickle_value){.kind = RN_PICKLE_INTEGER, .integer = integer});
out:
    return st;
}

static rn_status run_real(rn_machine *m)
{
    rn_status st = RN_OK;
    const unsigned char *bytes = NULL;

    RN_TRY(rn_machine_take(m, &bytes, sizeof(double)));
    st = rn_machine_push_value(m, &(rn_pickle_value){.kind = RN_PICKLE_REAL});
out:
    return st;
}

static rn_status push_text(rn_machine *m, rn_pickle_kind kind, const char *text, uint64_t length)
{
    if (length > UINT32_MAX)
        return rn_error(RN_EFORMAT, "%s of %llu bytes", m->opcode->name,
                        (unsigned long long)length);
    return rn_machine_push_value(
        m, &(rn_pickle_value){.kind = (uint8_t)kind, .length = (uint32_t)length, .text = text});
}

static rn_status run_text(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t length;
    const unsigned char *bytes = NULL;

    RN_TRY(rn_machine_number(m, &length));
    RN_TRY(rn_machine_take(m, &bytes, length));
    st = push_text(m, m->opcode->kind, (const char *)bytes, length);
out:
    return st;
}

// Two's complement, little-endian, in any number of bytes.
static rn_status run_long(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t length, number = 0;
    const unsigned char *bytes = NULL;

    RN_TRY(rn_machine_number(m, &length));
    RN_TRY(rn_machine_take(m, &bytes, length));
    if (length > sizeof number) {
        st = push_text(m, RN_PICKLE_LONG, (const char *)bytes, length);
        goto out;
    }
    if (length > 0 && bytes[length - 1] >= 0x80)
        number = UINT64_MAX;
    for (uint64_t i = length; i-- > 0;)
        number = number << 8 | bytes[i];
    st = rn_machine_push_value(
        m, &(rn_pickle_value){.kind = RN_PICKLE_INTEGER, .integer = (int64_t)number});
out:
    return st;
}

// Protocol 1: "17", "17L", and "00" and "01" for false and true.
static rn_status run_decimal(rn_machine *m)
{
    rn_status st = RN_OK;
    const char *line;
    size_t length;
    char text[NUMBER_TEXT] = "";
    int64_t number;

    RN_TRY(rn_machine_line(m, &line, &length));
    if (length == 2 && memcmp(line, "00", 2) == 0)
        return rn_machine_push(m, RN_PICKLE_FALSE_ID);
    if (length == 2 && memcmp(line, "01", 2) == 0)
        return rn_machine_push(m, RN_PICKLE_TRUE_ID);
    size_t digits = length > 0 && line[length - 1] == 'L' ? length - 1 : length;
    if (digits < sizeof text)
        memcpy(text, line, digits);
    if (rn_text_int64(text, INT64_MIN, INT64_MAX, &number))
        st = rn_machine_push_value(
            m, &(rn_pickle_value){.kind = RN_PICKLE_INTEGER, .integer = number});
    else
        st = push_text(m, RN_PICKLE_LONG, line, length);
out:
    return st;
}

static rn_status put(rn_machine *m, uint64_t slot)
{
    rn_status st = RN_OK;

    RN_TRY(rn_machine_require(m, 1));
    // Slots are given in sequence, and every value takes a byte at least.
    if (slot >= m->at - m->input.at) {
        st = rn_error(RN_EFORMAT, "%s names memo slot %llu, expected below %zu here",
                      m->opcode->name, (unsigned long long)slot, m->at - m->input.at);
        goto out;
    }
    RN_TRY(
        rn_grow((void **)&m->memo.ids, &m->memo.capacity, (size_t)slot + 1, sizeof *m->memo.ids));
    m->memo.ids[slot] = m->stack.ids[m->stack.count - 1] + 1;
    if (m->memo.count <= slot)
        m->memo.count = (size_t)slot + 1;
out:
    return st;
}

static rn_status run_put(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t slot;

    RN_TRY(rn_machine_number(m, &slot));
    st = put(m, slot);
out:
    return st;
}

static rn_status run_memoize(rn_machine *m)
{
    return put(m, m->memo.count);
}

static rn_status run_get(rn_machine *m)
{
    rn_status st = RN_OK;
    uint64_t slot;

    RN_TRY(rn_machine_number(m, &slot));
    if (slot >= m->memo.count || m->memo.ids[slot] == 0)
        st = rn_error(RN_EFORMAT, "%s of memo slot %llu, which is empty", m->opcode->name,
                      (unsigned long long)slot);
    else
        st = rn_machine_push(m, m->memo.ids[slot] - 1);
out:
    return st;
}

// Opcodes by their byte; those without a function are named so that a refusal can name them.
static const rn_opcode opcodes[256] = {
    [0x80] = {"PROTO", run_proto, 1, 0},
    [0x95] = {"FRAME", run_frame, 8, 0},
    ['.'] = {"STOP", run_stop, 0, 0},
    ['('] = {"MARK", run_mark, 0, 0},

    ['N'] = {"NONE", run_none, 0, 0},
    [0x88] = {"NEWTRUE", run_true, 0, 0},
    [0x89] = {"NEWFALSE", run_false, 0, 0},
    ['J'] = {"BININT", run_integer, 4, 0},
    ['K'] = {"BININT1", run_integer, 1, 0},
    ['M'] = {"BININT2", run_integer, 2, 0},
    [0x8a] = {"LONG1", run_long, 1, 0},
    [0x8b] = {"LONG4", run_long, 4, 0},
    ['I'] = {"INT", run_decimal, 0, 0},
    ['L'] = {"LONG", run_decimal, 0, 0},
    ['G'] = {"BINFLOAT", run_real, 0, 0},

    ['X'] = {"BINUNICODE", run_text, 4, RN_PICKLE_TEXT},
    [0x8c] = {"SHORT_BINUNICODE", run_text, 1, RN_PICKLE_TEXT},
    [0x8d] = {"BINUNICODE8", run_text, 8, RN_PICKLE_TEXT},
    ['T'] = {"BINSTRING", run_text, 4, RN_PICKLE_TEXT}, // the text of Python 2
    ['U'] = {"SHORT_BINSTRING", run_text, 1, RN_PICKLE_TEXT},
    ['B'] = {"BINBYTES", run_text, 4, RN_PICKLE_BYTES_OBJECT},
    ['C'] = {"SHORT_BINBYTES", run_text, 1, RN_PICKLE_BYTES_OBJECT},
    [0x8e] = {"BINBYTES8", run_text, 8, RN_PICKLE_BYTES_OBJECT},
    [0x96] = {"BYTEARRAY8", run_text, 8, RN_PICKLE_BYTES_OBJECT},

    ['q'] = {"BINPUT", run_put, 1, 0},
    ['r'] = {"LONG_BINPUT", run_put, 4, 0},
    [0x94] = {"MEMOIZE", run_memoize, 0, 0},
    ['h'] = {"BINGET", run_get, 1, 0},
    ['j'] = {"LONG_BINGET", run_get, 4, 0},

    [')'] = {"EMPTY_TUPLE", run_unit, 0, 0},
    [']'] = {"EMPTY_LIST", run_empty, 0, RN_PICKLE_LIST},
    ['}'] = {"EMPTY_DICT", run_empty, 0, RN_PICKLE_DICT},
    [0x8f] = {"EMPTY_SET", run_empty, 0, RN_PICKLE_LIST},
    ['t'] = {"TUPLE", rn_opcode_gather, 0, RN_PICKLE_TUPLE},
    ['l'] = {"LIST", rn_opcode_gather, 0, RN_PICKLE_LIST},
    ['d'] = {"DICT", rn_opcode_gather, 0, RN_PICKLE_DICT},
    [0x91] = {"FROZENSET", rn_opcode_gather, 0, RN_PICKLE_LIST},
    [0x85] = {"TUPLE1", rn_opcode_tuple_n, 0, 0},
    [0x86] = {"TUPLE2", rn_opcode_tuple_n, 0, 0},
    [0x87] = {"TUPLE3", rn_opcode_tuple_n, 0, 0},
    ['a'] = {"APPEND", rn_opcode_append, 0, RN_PICKLE_LIST},
    ['e'] = {"APPENDS", rn_opcode_extend, 0, RN_PICKLE_LIST},
    [0x90] = {"ADDITEMS", rn_opcode_extend, 0, RN_PICKLE_LIST},
    ['s'] = {"SETITEM", rn_opcode_set_item, 0, RN_PICKLE_DICT},
    ['u'] = {"SETITEMS", rn_opcode_extend, 0, RN_PICKLE_DICT},

    ['c'] = {"GLOBAL", rn_opcode_global, 0, 0},
    [0x93] = {"STACK_GLOBAL", rn_opcode_stack_global, 0, 0},
    ['R'] = {"REDUCE", rn_opcode_call, 0, 0},
    [0x81] = {"NEWOBJ", rn_opcode_call, 0, 0},
    ['b'] = {"BUILD", rn_opcode_build, 0, 0},
    ['Q'] = {"BINPERSID", rn_opcode_persistent, 0, 0},

    ['0'] = {"POP", NULL, 0, 0},
    ['1'] = {"POP_MARK", NULL, 0, 0},
    ['2'] = {"DUP", NULL, 0, 0},
    ['F'] = {"FLOAT", NULL, 0, 0},
    ['S'] = {"STRING", NULL, 0, 0},
    ['V'] = {"UNICODE", NULL, 0, 0},
    ['P'] = {"PERSID", NULL, 0, 0},
    ['g'] = {"GET", NULL, 0, 0},
    ['p'] = {"PUT", NULL, 0, 0},
    ['i'] = {"INST", NULL, 0, 0},
    ['o'] = {"OBJ", NULL, 0, 0},
    [0x82] = {"EXT1", NULL, 0, 0},
    [0x83] = {"EXT2", NULL, 0, 0},
    [0x84] = {"EXT4", NULL, 0, 0},
    [0x92] = {"NEWOBJ_EX", NULL, 0, 0},
    [0x97] = {"NEXT_BUFFER", NULL, 0, 0},
    [0x98] = {"READONLY_BUFFER", NULL, 0, 0},
};

static rn_status step(rn_machine *m)
{
    if (m->at == m->input.size)
        return rn_error(RN_EFORMAT, "it ends without a STOP");
    if (m->at - m->input.at >= RN_PICKLE_BYTES)
        return rn_error(RN_EFORMAT, "it is longer than %zu bytes", RN_PICKLE_BYTES);
    m->code = (unsigned char)m->input.bytes[m->at++];
    m->opcode = &opcodes[m->code];
    if (m->opcode->name == NULL)
        return rn_error(RN_EFORMAT, "no opcode is 0x%02x", m->code);
    if (m->opcode->run == NULL)
        return rn_error(RN_EFORMAT, "opcode %s is not allowed", m->opcode->name);
    return m->opcode->run(m);
}

rn_status rn_pickle_read(rn_pickle **out, size_t *end, const rn_pickle_input *input)
{
    rn_status st = RN_OK;
    size_t left = input->size - input->at;
    rn_machine m = {.input = *input, .at = input->at};

    *out = NULL;
    RN_TRY(rn_pickle_create(&m.pickle, left < RN_PICKLE_BYTES ? left : RN_PICKLE_BYTES));
    while (!m.stopped) {
        size_t begin = m.at;
        st = step(&m);
        if (st != RN_OK) {
            rn_error_prefix(st, "pickle at byte %zu", begin);
            goto out;
        }
    }
    if (end != NULL)
        *end = m.at;
    *out = m.pickle;
    m.pickle = NULL; // now the caller's
out:
    rn_free(m.stack.ids);
    rn_free(m.marks.ids);
    rn_free(m.memo.ids);
    rn_pickle_free(m.pickle);
    return st;
}
