/* services.h: which AWS services this program has. */
#ifndef BRUME_CLI_SERVICES_H
#define BRUME_CLI_SERVICES_H

#include "aws/wire/descriptor.h"

extern const Service *const services[];
extern const size_t service_count;

/* Tells the store what runs when a timer of core is due; before store_start. */
void services_prepare(Store *store);

#endif
