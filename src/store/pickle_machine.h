/** The stack machine that a pickle is a program for; for the files pickle*.c only. */
#ifndef STORE_PICKLE_MACHINE_H
#define STORE_PICKLE_MACHINE_H

#include "store/pickle_values.h"

/** A growing array of value ids, or of places on the stack. */
typedef struct rn_pickle_ids {
    uint32_t *ids;
    size_t capacity;
    size_t count;
} rn_pickle_ids;

typedef struct rn_machine rn_machine;

typedef struct rn_opcode {
    const char *name;
    rn_status (*run)(rn_machine *m); // NULL: not allowed
    int width;                       // bytes of the length or number that follows
    rn_pickle_kind kind;             // of the value that it makes, or of the container it fills
} rn_opcode;

struct rn_machine {
    rn_pickle_input input;
    size_t at; // the next byte
    const rn_opcode *opcode;
    unsigned char code;
    bool stopped;
    rn_pickle *pickle;
    rn_pickle_ids stack;
    rn_pickle_ids marks; // counts of the stack
    rn_pickle_ids memo;  // [slot]: value + 1; 0: nothing there
};

rn_status rn_machine_add(rn_pickle_ids *list, uint32_t id);
rn_status rn_machine_push(rn_machine *m, uint32_t id);
rn_status rn_machine_push_value(rn_machine *m, const rn_pickle_value *value);
rn_status rn_machine_pop(rn_machine *m, uint32_t *id);
/** The last mark goes; `first` is what the stack's count was when it was set. */
rn_status rn_machine_pop_mark(rn_machine *m, size_t *first);
/** The number of values above the last mark: those below are out of reach until it goes. */
size_t rn_machine_reach(const rn_machine *m);
rn_status rn_machine_require(const rn_machine *m, size_t values);

rn_status rn_machine_take(rn_machine *m, const unsigned char **bytes, uint64_t count);
/** The unsigned little-endian number of the opcode's width. */
rn_status rn_machine_number(rn_machine *m, uint64_t *number);
/** Up to, and past, a newline. */
rn_status rn_machine_line(rn_machine *m, const char **line, size_t *length);

// Opcodes of pickle_containers.c
rn_status rn_opcode_gather(rn_machine *m);
rn_status rn_opcode_tuple_n(rn_machine *m);
rn_status rn_opcode_append(rn_machine *m);
rn_status rn_opcode_set_item(rn_machine *m);
rn_status rn_opcode_extend(rn_machine *m);

// Opcodes of pickle_calls.c
rn_status rn_opcode_global(rn_machine *m);
rn_status rn_opcode_stack_global(rn_machine *m);
rn_status rn_opcode_call(rn_machine *m);
rn_status rn_opcode_build(rn_machine *m);
rn_status rn_opcode_persistent(rn_machine *m);

#endif
