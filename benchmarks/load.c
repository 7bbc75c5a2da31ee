/*
 * The load client: logs in, sends orders, counts the reports that come back, and prints one line of JSON.
 *
 *     load port=9040 script=FILE wire=ilink window=1 seconds=1                 closed loop: `window` orders outstanding
 *     load port=9040 script=FILE wire=ilink rate=50000 preload=100000 ...      open loop, after so many resting orders
 *     load port=9040 script=FILE wire=ilink in_flight=64                       logins only, so many at a time
 *
 * The script holds what this program cannot make: for each connection an order to number and repeat, and the login frames,
 * signed just before. Its layout, all numbers uint32 little-endian: connections, login steps, order size; then for each
 * connection the order, and for each step the size of a frame and the frame. Before the measured part this program prints
 * "ready" and waits for a line on stdin.
 *
 * Any answer but the expected one ends the run: "unexpected" and the frame in hex on stderr, status 2.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { BUFFER = 1 << 18, PATIENCE_MS = 10000, OPEN_LOOP_ORDERS = 1 << 17 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static _Noreturn void die(const char *what) /* a system call said no */
{
    perror(what);
    exit(1);
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- Latencies: a histogram with 256 steps to each power of two, so values are right to 0.4 %. ---- */

enum { STEPS = 256, ROWS = 56 };

static uint64_t histogram[ROWS][STEPS], samples, slowest;

static void record(uint64_t ns) /* row 0 holds 0..255, row r the 256 steps from 2^(7+r) to 2^(8+r) */
{
    int row = ns < STEPS ? 0 : 56 - __builtin_clzll(ns);
    histogram[row][row ? (ns >> (row - 1)) - STEPS : ns]++;
    samples++;
    if (ns > slowest)
        slowest = ns;
}

static double percentile(double share) /* us */
{
    uint64_t seen = 0, wanted = (uint64_t)(share * (double)samples);
    for (uint64_t row = 0; row < ROWS; row++)
        for (uint64_t step = 0; step < STEPS; step++)
            if ((seen += histogram[row][step]) > wanted)
                return (double)(row ? (step + STEPS) << (row - 1) : step) / 1000;
    return (double)slowest / 1000;
}

/* ---- The script and the options. ---- */

static struct { long port, window, seconds_ms, rate, preload, in_flight, max_orders; } want = {
    .window = 1, .seconds_ms = 1000, .max_orders = 1000000000};
static const struct wire *wire = &ilink;
static uint32_t connections, steps, order_size;
static uint8_t **orders, **logins; /* orders[connection]; logins[connection * steps + step]: a size and a frame */

static uint32_t next_u32(uint8_t **at)
{
    uint32_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return value;
}

static void read_script(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        die(path);
    size_t size = (size_t)ftell(file);
    uint8_t *at = malloc(size);
    rewind(file);
    if (fread(at, 1, size, file) != size)
        die(path);
    fclose(file);
    connections = next_u32(&at);
    steps = next_u32(&at);
    order_size = next_u32(&at);
    orders = calloc(connections, sizeof *orders);
    logins = calloc((size_t)connections * steps + 1, sizeof *logins);
    for (size_t i = 0; i < connections; i++) {
        orders[i] = at;
        at += order_size;
        for (size_t step = 0; step < steps; step++) {
            logins[i * steps + step] = at;
            uint32_t size = next_u32(&at);
            at += size;
        }
    }
}

static void read_options(char **arguments)
{
    const struct { const char *name; long *value; } numbers[] = {
        {"port=", &want.port}, {"window=", &want.window}, {"seconds_ms=", &want.seconds_ms}, {"rate=", &want.rate},
        {"preload=", &want.preload}, {"in_flight=", &want.in_flight}, {"max_orders=", &want.max_orders}, {"tick=", &tick}};
    for (; *arguments; arguments++) {
        size_t i = 0, count = sizeof numbers / sizeof *numbers;
        while (i < count && strncmp(*arguments, numbers[i].name, strlen(numbers[i].name)))
            i++;
        if (i < count)
            *numbers[i].value = atol(*arguments + strlen(numbers[i].name));
        else if (!strncmp(*arguments, "script=", 7))
            read_script(*arguments + 7);
        else if (!strcmp(*arguments, "wire=fix"))
            wire = &fix;
        else if (strcmp(*arguments, "wire=ilink"))
            fail(*arguments);
    }
    if (!want.port || !connections)
        fail("port= and script= are needed");
}

/* ---- Connections. ---- */

struct connection {
    int fd;
    uint32_t script, step, seq_num; /* which connection of the script, how far in its login, last number used */
    size_t have; /* bytes in `in` */
    uint8_t *in;
    size_t unsent, sent; /* bytes in `out`, and how many of them the socket took */
    uint8_t *out;
    uint64_t first, next; /* orders answered, orders sent */
    uint64_t *sent_at; /* ring of `room` times */
    uint64_t room;
};

static int epoll;

static void watch(int operation, struct connection *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event))
        die("epoll_ctl");
}

static void connect_to_server(struct connection *c)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)want.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->have = c->step = 0;
    watch(EPOLL_CTL_ADD, c, EPOLLIN);
}

static void send_login_step(struct connection *c)
{
    uint8_t *at = logins[(size_t)c->script * steps + c->step];
    uint32_t size = next_u32(&at);
    if (write(c->fd, at, size) != (ssize_t)size)
        die("login");
}

/* Read once, and count the answers of the wanted kind. */
static unsigned answers(struct connection *c, enum kind wanted)
{
    ssize_t got = read(c->fd, c->in + c->have, BUFFER - c->have);
    unsigned count = 0;
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got <= 0)
        fail("the server closed the connection");
    size_t have = c->have + (size_t)got, at = 0, size;
    while ((size = wire->size(c->in + at, have - at))) {
        enum kind kind = wire->kind(c->in + at, size);
        if (kind == wanted) {
            count++;
        } else if (kind != ADMIN) {
            fprintf(stderr, "unexpected ");
            for (size_t i = 0; i < size; i++)
                fprintf(stderr, "%02x", c->in[at + i]);
            fprintf(stderr, "\n");
            exit(2);
        }
        at += size;
    }
    c->have = have - at;
    memmove(c->in, c->in + at, c->have);
    return count;
}

static void flush(struct connection *c)
{
    while (c->sent < c->unsent) {
        ssize_t written = write(c->fd, c->out + c->sent, c->unsent - c->sent);
        if (written < 0 && errno == EAGAIN) {
            watch(EPOLL_CTL_MOD, c, EPOLLIN | EPOLLOUT);
            return;
        }
        if (written < 0)
            die("write");
        c->sent += (size_t)written;
    }
    c->sent = c->unsent = 0;
}

static void send_orders(struct connection *c, uint64_t count, uint64_t now)
{
    uint64_t wall_clock = nanoseconds(CLOCK_REALTIME);
    if (c->next + count - c->first > c->room)
        fail("the server is too many orders behind");
    if (c->sent) { /* make room at the end */
        memmove(c->out, c->out + c->sent, c->unsent - c->sent);
        c->unsent -= c->sent;
        c->sent = 0;
    }
    int blocked = c->unsent > 0;
    for (; count; count--) {
        uint8_t *frame = c->out + c->unsent;
        memcpy(frame, orders[c->script], order_size);
        wire->number(frame, order_size, ++c->seq_num, wall_clock);
        c->unsent += order_size;
        c->sent_at[c->next++ % c->room] = now;
    }
    if (!blocked)
        flush(c);
}

static void take_reports(struct connection *c, uint64_t *now)
{
    unsigned count = answers(c, REPORT);
    if (c->first + count > c->next)
        fail("more reports than orders");
    for (*now = nanoseconds(CLOCK_MONOTONIC); count; count--)
        record(*now - c->sent_at[c->first++ % c->room]);
}

/* ---- The three kinds of run. ---- */

static int wait_for(struct epoll_event *events, int count)
{
    int got = epoll_wait(epoll, events, count, PATIENCE_MS);
    if (got <= 0)
        fail("no answer for 10 seconds");
    return got;
}

static void wait_for_the_word(void)
{
    char line[8];
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(1);
}

static struct connection *make_connections(size_t count, size_t room)
{
    struct connection *all = calloc(count, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        all[i].in = malloc(BUFFER);
        all[i].room = room;
        all[i].out = malloc(room * order_size + 1);
        all[i].sent_at = malloc(room * sizeof(uint64_t));
    }
    return all;
}

static void log_in(struct connection *all)
{
    struct epoll_event event;
    for (uint32_t i = 0; i < connections; i++) {
        struct connection *c = all + i;
        c->script = i;
        connect_to_server(c);
        for (; c->step < steps; c->step++) {
            send_login_step(c);
            do
                wait_for(&event, 1);
            while (!answers(c, LOGIN));
        }
    }
}

/* Keep `window` orders outstanding on every connection until the time or the orders are up, then take what is due. */
static double closed_loop(struct connection *all, uint64_t window, uint64_t duration, uint64_t most)
{
    uint64_t start = nanoseconds(CLOCK_MONOTONIC), now = start, sent = 0, answered = 0;
    for (uint32_t i = 0; i < connections && sent < most; i++) {
        uint64_t count = most - sent < window ? most - sent : window;
        send_orders(all + i, count, start);
        sent += count;
    }
    while (answered < sent) {
        struct epoll_event events[256];
        int count = wait_for(events, 256);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                watch(EPOLL_CTL_MOD, c, EPOLLIN);
                flush(c);
            }
            if (!(events[i].events & ~(uint32_t)EPOLLOUT))
                continue;
            uint64_t before = c->first, free;
            take_reports(c, &now);
            answered += c->first - before;
            free = window - (c->next - c->first);
            if (free > most - sent)
                free = most - sent;
            if (free && now - start < duration) {
                send_orders(c, free, now);
                sent += free;
            }
        }
    }
    return (double)(now - start) / 1e9;
}

/* One order every 1/rate seconds whatever comes back; an order's time counts from the moment it was due. */
static double open_loop(struct connection *c, uint64_t rate, uint64_t duration)
{
    uint64_t start = nanoseconds(CLOCK_MONOTONIC), now = start, due = start, sent = 0, heard = start;
    while (due - start < duration || c->first < c->next) {
        now = nanoseconds(CLOCK_MONOTONIC);
        while (due <= now && due - start < duration) {
            send_orders(c, 1, due);
            due = start + ++sent * 1000000000u / rate;
        }
        if (c->unsent)
            flush(c);
        uint64_t before = c->first;
        take_reports(c, &now);
        if (c->first > before)
            heard = now;
        else if (now - heard > PATIENCE_MS * 1000000ull && c->first < c->next)
            fail("no answer for 10 seconds");
    }
    return (double)(now - start) / 1e9;
}

/* Log in, close, and go on with the next login of the script, so many connections at a time. */
static double logins_only(struct connection *all, uint32_t in_flight)
{
    uint32_t begun = 0, done = 0;
    uint64_t start = nanoseconds(CLOCK_MONOTONIC), now = start;
    for (; begun < in_flight && begun < connections; begun++) {
        struct connection *c = all + begun;
        c->script = begun;
        c->sent_at[0] = nanoseconds(CLOCK_MONOTONIC);
        connect_to_server(c);
        send_login_step(c);
    }
    while (done < connections) {
        struct epoll_event events[256];
        int count = wait_for(events, 256);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!answers(c, LOGIN))
                continue;
            if (++c->step == steps) {
                now = nanoseconds(CLOCK_MONOTONIC);
                record(now - c->sent_at[0]);
                done++;
                close(c->fd);
                if (begun == connections)
                    continue;
                c->script = begun++;
                c->sent_at[0] = now;
                connect_to_server(c);
            }
            send_login_step(c);
        }
    }
    return (double)(now - start) / 1e9;
}

int main(int argc, char **argv)
{
    (void)argc;
    read_options(argv + 1);
    epoll = epoll_create1(0);
    uint64_t duration = (uint64_t)want.seconds_ms * 1000000u;
    double seconds;
    if (want.in_flight) {
        struct connection *all = make_connections((size_t)want.in_flight, 1);
        wait_for_the_word();
        seconds = logins_only(all, (uint32_t)want.in_flight);
    } else {
        uint64_t deepest = want.rate ? OPEN_LOOP_ORDERS : (uint64_t)want.window;
        struct connection *all = make_connections(connections, deepest);
        log_in(all);
        if (want.preload)
            closed_loop(all, deepest < 1000 ? deepest : 1000, UINT64_MAX, (uint64_t)want.preload);
        memset(histogram, 0, sizeof histogram);
        samples = slowest = 0;
        wait_for_the_word();
        if (want.rate)
            seconds = open_loop(all, (uint64_t)want.rate, duration);
        else
            seconds = closed_loop(all, (uint64_t)want.window, duration, (uint64_t)want.max_orders);
    }
    printf("{\"count\": %llu, \"seconds\": %.6f, \"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"slowest\": %.2f}\n",
           (unsigned long long)samples, seconds, percentile(0.5), percentile(0.99), percentile(0.999), (double)slowest / 1000);
    return 0;
}
