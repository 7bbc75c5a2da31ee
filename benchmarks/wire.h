/*
 * The two wires that the load client speaks: how an order is numbered, how long a frame is, and what kind of answer it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 200 };

enum kind { LOGIN, REPORT, ADMIN, OTHER };

struct wire {
    void (*number)(uint8_t *order, size_t size, uint32_t seq_num, uint64_t wall_clock);
    size_t (*size)(const uint8_t *frame, size_t have); /* 0: not all there yet */
    enum kind (*kind)(const uint8_t *frame, size_t size);
};

static int64_t tick; /* iLink: orders rest on LEVELS levels, this many 1e-9 below each other */

static void digits(uint8_t *last, int count, uint32_t value)
{
    for (; count; count--, value /= 10)
        *last-- = (uint8_t)('0' + value % 10);
}

/* NewOrderSingle 514: Price at 12, SeqNum at 29, ClOrdID at 53 (its last 10 characters), SendingTimeEpoch at 89. */
static void ilink_number(uint8_t *order, size_t size, uint32_t seq_num, uint64_t wall_clock)
{
    int64_t price;
    (void)size;
    memcpy(&price, order + 12, sizeof price);
    price -= seq_num % LEVELS * tick;
    memcpy(order + 12, &price, sizeof price);
    memcpy(order + 29, &seq_num, sizeof seq_num);
    digits(order + 72, 10, seq_num);
    memcpy(order + 89, &wall_clock, sizeof wall_clock);
}

static size_t ilink_size(const uint8_t *frame, size_t have)
{
    size_t size = have < 12 ? SIZE_MAX : (size_t)(frame[0] | frame[1] << 8);
    return size <= have ? size : 0;
}

static enum kind ilink_kind(const uint8_t *frame, size_t size)
{
    (void)size;
    switch (frame[6] | frame[7] << 8) {
    case 501: case 504: return LOGIN;  /* NegotiationResponse, EstablishmentAck */
    case 522: return REPORT;           /* ExecutionReportNew */
    case 506: return ADMIN;            /* Sequence */
    default: return OTHER;
    }
}

static uint8_t *field(uint8_t *frame, size_t size, const char *tag)
{
    uint8_t *found = memmem(frame, size, tag, strlen(tag));
    if (!found) {
        fprintf(stderr, "load: the order has no field %s\n", tag + 1);
        exit(1);
    }
    return found + strlen(tag);
}

/* FIX 4.4: nine digits of MsgSeqNum (34), nine of ClOrdID (11), and the checksum. */
static void fix_number(uint8_t *order, size_t size, uint32_t seq_num, uint64_t wall_clock)
{
    static size_t number, id;
    unsigned sum = 0;
    (void)wall_clock;
    if (!number) {
        number = (size_t)(field(order, size, "\00134=") - order);
        id = (size_t)(field(order, size, "\00111=") - order);
    }
    digits(order + number + 8, 9, seq_num + 1); /* the Logon was number 1 */
    digits(order + id + 8, 9, seq_num);
    for (size_t i = 0; i < size - 7; i++)
        sum += order[i];
    digits(order + size - 2, 3, sum % 256);
}

static size_t fix_size(const uint8_t *frame, size_t have)
{
    size_t at = 12, body = 0; /* after "8=FIX.4.4|9=" */
    for (; at < have && frame[at] >= '0' && frame[at] <= '9'; at++)
        body = body * 10 + frame[at] - '0';
    return at < have && at + 1 + body + 7 <= have ? at + 1 + body + 7 : 0;
}

static enum kind fix_kind(const uint8_t *frame, size_t size)
{
    const uint8_t *type = memmem(frame, size, "\00135=", 4);
    switch (type ? type[4] : 0) {
    case 'A': return LOGIN;
    case '8': return memmem(frame, size, "\00139=0\001", 6) ? REPORT : OTHER;
    case '0': case '1': return ADMIN;
    default: return OTHER;
    }
}

static const struct wire ilink = {ilink_number, ilink_size, ilink_kind};
static const struct wire fix = {fix_number, fix_size, fix_kind};
