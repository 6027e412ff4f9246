/** Engines: who computes the ops of a plan; and what the machine could do at best. */
#ifndef RESNET_ENGINE_H
#define RESNET_ENGINE_H

#include "resnet/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Make an engine.
 *
 * Plans and runs of one engine are for one thread at a time: kernels keep what they work on. For
 * work side by side make an engine for each thread, in that thread: it sets the thread's number of
 * compute threads and lets it take denormals for 0, which holds for the thread that makes it alone.
 *
 * @param[out] out  The caller's (rn_engine_free()); NULL on failure.
 * @param name      "cpu" (vectorised kernels with oneDNN, dispatched at run time; the default for
 *                  NULL) or "ref" (plain C, single threaded, the oracle for tests). RESNET_ISA
 *                  (avx2, avx512) in the environment lowers what "cpu" uses, RESNET_CONV says by
 *                  which method it convolves.
 * @return RN_OK; RN_EINVAL (unknown name, RESNET_ISA or RESNET_CONV); RN_EUNSUPPORTED (the
 * processor lacks AVX2 or FMA; the message says so); RN_ENOMEM; RN_ENGINE (oneDNN failed).
 */
RN_API rn_status rn_engine_create(rn_engine **out, const char *name);
RN_API void rn_engine_free(rn_engine *engine);

/** "ref" or "cpu". Borrowed from the engine. */
RN_API const char *rn_engine_name(const rn_engine *engine);

/** ISA and library versions in one line, for logs. Borrowed from the engine. */
RN_API const char *rn_engine_description(const rn_engine *engine);

/** Rate of one kind of multiply-add instruction, in flop/s; multiply and add count as two. */
typedef struct rn_peak_rate {
    const char *name; // "avx2", "avx512": float32; "avx512 bf16": dot products; static storage
    double one;       // of one thread
    double all;       // of all threads; at least `one`
} rn_peak_rate;

enum { RN_PEAK_RATES = 3 };

/** What this machine can do at best, as measured. Bytes are those that a program asks for. */
typedef struct rn_peaks {
    int threads; // that "all" means
    rn_peak_rate rates[RN_PEAK_RATES];
    int rate_count;
    double flops;  // the highest float32 rate of all threads, flop/s
    double read;   // all threads reading arrays far beyond the caches, bytes/s
    double add;    // the same adding two such arrays into a third, bytes/s read and written
    double memory; // the higher of these two
    double l2_read, l3_read; // reading half of that cache, a quarter; 0: no such cache is known
} rn_peaks;

/**
 * Measure the machine's limits, in well below two seconds: the multiply-add rate of each
 * instruction set that the processor has and RESNET_ISA permits, and the rates of memory and
 * caches, with the threads of rn_threads(). Takes 192 MiB meanwhile, up to 768 MiB where the last
 * cache has more than 64 MiB. Noise only lowers what is measured.
 *
 * @param[out] peaks  Zeroes on failure.
 * @return RN_OK; RN_EINVAL (RESNET_ISA); RN_EUNSUPPORTED (the processor lacks AVX2 or FMA, or what
 *         RESNET_ISA names); RN_ENOMEM.
 */
RN_API rn_status rn_peaks_measure(rn_peaks *peaks);

#ifdef __cplusplus
}
#endif
#endif
