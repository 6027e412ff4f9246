#include "dashboard/listen.h"

#include "resnet/dashboard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAITING = 32 }; // connections not yet accepted

rn_status rn_listener_address(rn_listener *out, const char *bind)
{
    struct in_addr four;
    struct in6_addr six;

    *out = (rn_listener){.socket = -1};
    if (bind == NULL || strcmp(bind, "localhost") == 0)
        bind = "127.0.0.1";
    if (inet_pton(AF_INET, bind, &four) == 1) {
        out->loopback = ntohl(four.s_addr) >> 24 == 127;
        inet_ntop(AF_INET, &four, out->address, sizeof out->address);
        return RN_OK;
    }
    if (inet_pton(AF_INET6, bind, &six) == 1) {
        out->ipv6 = true;
        out->loopback = IN6_IS_ADDR_LOOPBACK(&six) != 0;
        inet_ntop(AF_INET6, &six, out->address, sizeof out->address);
        return RN_OK;
    }
    return rn_error(RN_EINVAL,
                    "address '%s', expected a numeric one such as 127.0.0.1, 0.0.0.0 or ::1", bind);
}

static int bind_to(int socket, const rn_listener *listener, int port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    if (listener->ipv6) {
        inet_pton(AF_INET6, listener->address, &six.sin6_addr);
        return bind(socket, (const struct sockaddr *)&six, sizeof six);
    }
    inet_pton(AF_INET, listener->address, &four.sin_addr);
    return bind(socket, (const struct sockaddr *)&four, sizeof four);
}

static rn_status describe_failure(const rn_listener *listener, int port)
{
    if (errno == EADDRINUSE)
        return rn_error(RN_ENETWORK, "port %d of %s is in use", port, listener->address);
    if (errno == EADDRNOTAVAIL)
        return rn_error(RN_ENETWORK, "address %s is none of this machine's", listener->address);
    return rn_error(RN_ENETWORK, "port %d of %s: %s", port, listener->address, strerror(errno));
}

static rn_status try_port(rn_listener *listener, int port)
{
    const int on = 1;
    rn_status st = RN_OK;
    int fd =
        socket(listener->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return describe_failure(listener, port);
    // A port that a dashboard has just left may be taken at once; one in use still may not.
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind_to(fd, listener, port) != 0 || listen(fd, WAITING) != 0) {
        st = describe_failure(listener, port);
        close(fd);
        return st;
    }
    listener->socket = fd;
    listener->port = port;
    return RN_OK;
}

rn_status rn_listener_open(rn_listener *out, int port)
{
    const int last = RN_DASHBOARD_PORT + RN_DASHBOARD_PORTS - 1;
    rn_status st = RN_ENETWORK;

    if (port < 0 || port > 65535)
        return rn_error(RN_EINVAL, "port is %d, expected 1 to 65535", port);
    if (port > 0)
        return try_port(out, port);
    for (port = RN_DASHBOARD_PORT; st != RN_OK && port <= last; port++) {
        st = try_port(out, port);
        if (st != RN_OK && errno != EADDRINUSE)
            return st;
    }
    if (st != RN_OK)
        return rn_error(RN_ENETWORK, "ports %d to %d of %s are all in use", RN_DASHBOARD_PORT, last,
                        out->address);
    out->moved = out->port != RN_DASHBOARD_PORT;
    return RN_OK;
}

void rn_listener_close(rn_listener *listener)
{
    if (listener->socket >= 0)
        close(listener->socket);
    listener->socket = -1;
}
