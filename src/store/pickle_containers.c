#include "store/pickle_machine.h"

// Replace the stack's items from `first` on by one value, which they become the items of.
static rn_status gather(rn_machine *m, size_t first, rn_pickle_kind kind)
{
    rn_status st = RN_OK;
    uint32_t id;

    RN_TRY(rn_pickle_add(m->pickle, &id, &(rn_pickle_value){.kind = (uint8_t)kind}));
    for (size_t i = first; i < m->stack.count; i++)
        RN_TRY(rn_pickle_append(m->pickle, id, m->stack.ids[i]));
    m->stack.count = first;
    st = rn_machine_push(m, id);
out:
    return st;
}

rn_status rn_opcode_gather(rn_machine *m)
{
    rn_status st = RN_OK;
    size_t first;

    RN_TRY(rn_machine_pop_mark(m, &first));
    if (m->opcode->kind == RN_PICKLE_DICT && (m->stack.count - first) % 2 != 0)
        st = rn_error(RN_EFORMAT, "%s of a key without a value", m->opcode->name);
    else
        st = gather(m, first, m->opcode->kind);
out:
    return st;
}

rn_status rn_opcode_tuple_n(rn_machine *m)
{
    rn_status st = RN_OK;
    size_t items = (size_t)(m->code - 0x84); // TUPLE1 is 0x85

    RN_TRY(rn_machine_require(m, items));
    st = gather(m, m->stack.count - items, RN_PICKLE_TUPLE);
out:
    return st;
}

// Move the stack's items from `first` on into the container below them.
static rn_status extend(rn_machine *m, size_t first, size_t step)
{
    rn_status st = RN_OK;
    rn_pickle_kind wanted = m->opcode->kind;

    if (m->stack.count - first >= rn_machine_reach(m))
        return rn_error(RN_EFORMAT, "%s without a container", m->opcode->name);
    uint32_t container = m->stack.ids[first - 1];
    if (rn_pickle_get(m->pickle, container)->kind != wanted)
        return rn_error(RN_EFORMAT, "%s on a value that is no %s", m->opcode->name,
                        wanted == RN_PICKLE_DICT ? "dict" : "list");
    if ((m->stack.count - first) % step != 0)
        return rn_error(RN_EFORMAT, "%s of a key without a value", m->opcode->name);
    for (size_t i = first; i < m->stack.count; i++)
        RN_TRY(rn_pickle_append(m->pickle, container, m->stack.ids[i]));
    m->stack.count = first;
out:
    return st;
}

rn_status rn_opcode_append(rn_machine *m)
{
    rn_status st = RN_OK;

    RN_TRY(rn_machine_require(m, 1));
    st = extend(m, m->stack.count - 1, 1);
out:
    return st;
}

rn_status rn_opcode_set_item(rn_machine *m)
{
    rn_status st = RN_OK;

    RN_TRY(rn_machine_require(m, 2));
    st = extend(m, m->stack.count - 2, 2);
out:
    return st;
}

rn_status rn_opcode_extend(rn_machine *m)
{
    rn_status st = RN_OK;
    size_t first;

    RN_TRY(rn_machine_pop_mark(m, &first));
    st = extend(m, first, m->opcode->kind == RN_PICKLE_DICT ? 2 : 1);
out:
    return st;
}
