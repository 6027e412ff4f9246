#include "batch/order.h"

#include "base/memory.h"
#include "base/random.h"

rn_status rn_order_create(rn_order **out, size_t count, uint64_t seed)
{
    rn_status st = RN_OK;
    rn_order *order = NULL;

    *out = NULL;
    if (count < 1 || count > UINT32_MAX)
        return rn_error(RN_EINVAL, "set has %zu images, expected 1 to %lu", count,
                        (unsigned long)UINT32_MAX);
    RN_TRY(RN_NEW(&order, 1));
    order->seed = seed;
    order->count = (uint32_t)count;
    RN_TRY(RN_NEW(&order->items, count));
    *out = order;
    order = NULL;
out:
    rn_order_free(order);
    return st;
}

void rn_order_free(rn_order *order)
{
    if (order == NULL)
        return;
    rn_free(order->items);
    rn_free(order);
}

static void draw(rn_order *order, uint32_t epoch)
{
    rn_stream stream;

    for (uint32_t i = 0; i < order->count; i++)
        order->items[i] = i;
    rn_stream_init(&stream, order->seed, RN_PURPOSE_ORDER, epoch, 0);
    rn_stream_shuffle(&stream, order->items, order->count);
    order->epoch = epoch;
    order->drawn = true;
}

rn_status rn_order_take(rn_order *order, uint64_t at, int count, rn_order_entry *entries)
{
    uint64_t epoch = at / order->count;
    uint32_t item = (uint32_t)(at % order->count);

    for (int i = 0; i < count; i++) {
        if (epoch > UINT32_MAX)
            return rn_error(RN_EINVAL, "epoch %llu of training, expected at most %lu",
                            (unsigned long long)epoch, (unsigned long)UINT32_MAX);
        if (!order->drawn || order->epoch != epoch)
            draw(order, (uint32_t)epoch);
        entries[i] = (rn_order_entry){order->items[item], (uint32_t)epoch};
        if (++item == order->count) {
            item = 0;
            epoch++;
        }
    }
    return RN_OK;
}
