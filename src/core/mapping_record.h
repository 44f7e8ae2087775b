/* mapping_record.h: mappings as values of the store; private to core/mapping*.c. */
#ifndef BRUME_CORE_MAPPING_RECORD_H
#define BRUME_CORE_MAPPING_RECORD_H

#include "core/mapping.h"
#include "store/key.h"

Slice mapping_write(Txn *txn, const Mapping *mapping);
/* Fills in all but account, region and uuid. */
Error mapping_read(Txn *txn, Slice value, Mapping *mapping);
Slice mapping_breaker_name(Txn *txn, const Mapping *mapping);

#endif
