#include "store/pickle_machine.h"

#include "base/memory.h"

#include <string.h>

rn_status rn_machine_add(rn_pickle_ids *list, uint32_t id)
{
    rn_status st = RN_OK;

    RN_TRY(rn_grow((void **)&list->ids, &list->capacity, list->count + 1, sizeof *list->ids));
    list->ids[list->count++] = id;
out:
    return st;
}

rn_status rn_machine_push(rn_machine *m, uint32_t id)
{
    return rn_machine_add(&m->stack, id);
}

rn_status rn_machine_push_value(rn_machine *m, const rn_pickle_value *value)
{
    rn_status st = RN_OK;
    uint32_t id;

    RN_TRY(rn_pickle_add(m->pickle, &id, value));
    st = rn_machine_push(m, id);
out:
    return st;
}

size_t rn_machine_reach(const rn_machine *m)
{
    return m->stack.count - (m->marks.count == 0 ? 0 : m->marks.ids[m->marks.count - 1]);
}

rn_status rn_machine_require(const rn_machine *m, size_t values)
{
    if (rn_machine_reach(m) < values)
        return rn_error(RN_EFORMAT, "%s needs %zu on the stack, found %zu", m->opcode->name, values,
                        rn_machine_reach(m));
    return RN_OK;
}

rn_status rn_machine_pop(rn_machine *m, uint32_t *id)
{
    rn_status st = RN_OK;

    RN_TRY(rn_machine_require(m, 1));
    *id = m->stack.ids[--m->stack.count];
out:
    return st;
}

rn_status rn_machine_pop_mark(rn_machine *m, size_t *first)
{
    if (m->marks.count == 0)
        return rn_error(RN_EFORMAT, "%s without a MARK", m->opcode->name);
    *first = m->marks.ids[--m->marks.count];
    return RN_OK;
}

rn_status rn_machine_take(rn_machine *m, const unsigned char **bytes, uint64_t count)
{
    if (count > m->input.size - m->at)
        return rn_error(RN_EFORMAT, "%s needs %llu bytes, %zu are left", m->opcode->name,
                        (unsigned long long)count, m->input.size - m->at);
    *bytes = (const unsigned char *)m->input.bytes + m->at;
    m->at += (size_t)count;
    return RN_OK;
}

rn_status rn_machine_number(rn_machine *m, uint64_t *number)
{
    rn_status st = RN_OK;
    const unsigned char *bytes = NULL;

    *number = 0;
    RN_TRY(rn_machine_take(m, &bytes, (uint64_t)m->opcode->width));
    for (int i = 0; i < m->opcode->width; i++)
        *number |= (uint64_t)bytes[i] << (8 * i);
out:
    return st;
}

rn_status rn_machine_line(rn_machine *m, const char **line, size_t *length)
{
    const char *begin = m->input.bytes + m->at;
    const char *end = memchr(begin, '\n', m->input.size - m->at);

    if (end == NULL)
        return rn_error(RN_EFORMAT, "%s without the newline that ends it", m->opcode->name);
    *line = begin;
    *length = (size_t)(end - begin);
    m->at += *length + 1;
    return RN_OK;
}
