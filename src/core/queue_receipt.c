#include "core/queue_records.h"

#include "base/digest.h"

/* A receipt is: a format byte, five 8-byte little-endian numbers, a 4-byte checksum; as base64. The checksum tells a
 * receipt from garbage. It is no secret: who may not touch the queue cannot use a receipt of it either. */
enum { RECEIPT_FORMAT = 1, RECEIPT_NUMBERS = 5, RECEIPT_CHECKED = 1 + 8 * RECEIPT_NUMBERS, CHECKSUM_SIZE = 4 };
enum { RECEIPT_SIZE = RECEIPT_CHECKED + CHECKSUM_SIZE };

static void write_little_endian(char *bytes, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(number >> (8 * i));
}

static uint64_t read_little_endian(const char *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return number;
}

/* FNV-1a, folded to 32 bits. */
static uint64_t checksum(const char *bytes, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return (hash ^ (hash >> 32)) & UINT32_MAX;
}

uint64_t queue_message_tag(const MessageId *id)
{
    return read_little_endian((const char *)id->bytes, 8);
}

Slice queue_receipt_write(Arena *arena, const Receipt *receipt)
{
    char bytes[RECEIPT_SIZE];
    const uint64_t numbers[RECEIPT_NUMBERS] = {receipt->number, receipt->seq, receipt->receive_count, receipt->nonce,
                                               receipt->message};
    bytes[0] = RECEIPT_FORMAT;
    for (size_t i = 0; i < RECEIPT_NUMBERS; i++)
        write_little_endian(bytes + 1 + 8 * i, numbers[i], 8);
    write_little_endian(bytes + RECEIPT_CHECKED, checksum(bytes, RECEIPT_CHECKED), CHECKSUM_SIZE);
    return base64_encode(arena, slice_make(bytes, sizeof(bytes)));
}

Error queue_receipt_read(Arena *arena, Slice text, uint64_t number, Receipt *receipt)
{
    Slice bytes;
    if (base64_decode(arena, text, &bytes) != OK || bytes.size != RECEIPT_SIZE || bytes.data[0] != RECEIPT_FORMAT ||
        read_little_endian(bytes.data + RECEIPT_CHECKED, CHECKSUM_SIZE) != checksum(bytes.data, RECEIPT_CHECKED))
        return QUEUE_RECEIPT_INVALID;
    receipt->number = read_little_endian(bytes.data + 1, 8);
    receipt->seq = read_little_endian(bytes.data + 9, 8);
    receipt->receive_count = read_little_endian(bytes.data + 17, 8);
    receipt->nonce = read_little_endian(bytes.data + 25, 8);
    receipt->message = read_little_endian(bytes.data + 33, 8);
    return receipt->number == number ? OK : QUEUE_RECEIPT_INVALID;
}
