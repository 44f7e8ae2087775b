/* metrics_mappings.h: what the durable state tells of event source mappings, for /_brume/metrics: how old the oldest message
 * of each one's queue is, and the states of their breakers. */
#ifndef BRUME_CLI_METRICS_MAPPINGS_H
#define BRUME_CLI_METRICS_MAPPINGS_H

#include "store/store.h"

/* A scrape costs some microseconds for each, and no more than for these, however many there are. */
enum { METRICS_MAPPINGS_MAX = 500 };

/* Rows of each metric, as Prometheus reads them, without their heads. */
typedef struct MappingRows {
    Slice lags;
    Slice breakers;
} MappingRows;

/* In a read body: those of the first METRICS_MAPPINGS_MAX mappings, in `arena`. */
Error metrics_read_mappings(Txn *txn, Arena *arena, MappingRows *rows);

#endif
