/*
 * The floor: an epoll server that answers every frame with a constant one of the right kind and size, and does nothing else.
 *
 *     echo          listens on a free port of 127.0.0.1 and prints it
 *
 * Negotiate (500) is answered with 501, Establish (503) with 504, every other frame with a 238-byte ExecutionReportNew (522).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12, REPORT = 238, REPORTS = 1024, BUFFER = 1 << 17 };

struct connection {
    int fd;
    size_t have; /* bytes read and not yet answered: less than a frame */
    size_t owed; /* bytes of reports the socket would not take yet */
    size_t phase; /* where in a report the next byte to write lies */
    uint8_t in[BUFFER];
};

static uint8_t reports[REPORTS * REPORT], negotiation_response[47], establishment_ack[51];

static void fill(uint8_t *frame, uint16_t size, uint16_t template_id)
{
    uint16_t header[6] = {size, 0xCAFE, (uint16_t)(size - HEADER), template_id, 8, 9};
    memcpy(frame, header, HEADER);
}

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static void watch(int epoll, int operation, int fd, uint32_t events, void *of)
{
    struct epoll_event event = {.events = events, .data.ptr = of};
    epoll_ctl(epoll, operation, fd, &event);
}

/* Write what is owed; 0 when the connection is gone. Reading waits until all is written. */
static int pay(int epoll, struct connection *c)
{
    size_t before = c->owed;
    while (c->owed) {
        size_t chunk = c->owed < sizeof reports - c->phase ? c->owed : sizeof reports - c->phase;
        ssize_t written = write(c->fd, reports + c->phase, chunk);
        if (written < 0 && errno == EAGAIN)
            break;
        if (written <= 0)
            return 0;
        c->owed -= (size_t)written;
        c->phase = (c->phase + (size_t)written) % REPORT;
    }
    if (c->owed)
        watch(epoll, EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
    else if (before)
        watch(epoll, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
    return 1;
}

/* Read once and answer every whole frame; 0 when the connection is gone. */
static int answer(struct connection *c)
{
    ssize_t got = read(c->fd, c->in + c->have, sizeof c->in - c->have);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    size_t have = c->have + (size_t)got, at = 0;
    while (have - at >= HEADER) {
        size_t size = u16(c->in + at);
        uint16_t template_id = u16(c->in + at + 6);
        if (size < HEADER)
            return 0;
        if (have - at < size)
            break;
        if (template_id == 500)
            got = write(c->fd, negotiation_response, sizeof negotiation_response);
        else if (template_id == 503)
            got = write(c->fd, establishment_ack, sizeof establishment_ack);
        else
            c->owed += REPORT;
        if (got <= 0)
            return 0;
        at += size;
    }
    c->have = have - at;
    memmove(c->in, c->in + at, c->have);
    return 1;
}

int main(void)
{
    fill(negotiation_response, sizeof negotiation_response, 501);
    fill(establishment_ack, sizeof establishment_ack, 504);
    for (int i = 0; i < REPORTS; i++)
        fill(reports + i * REPORT, REPORT, 522);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&address, &length)) {
        perror("echo");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);

    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                int fd;
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    c = malloc(sizeof *c);
                    c->fd = fd;
                    c->have = c->owed = c->phase = 0;
                    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, c);
                }
            } else if ((!c->owed && !answer(c)) || !pay(epoll, c)) {
                close(c->fd);
                free(c);
            }
        }
    }
}
