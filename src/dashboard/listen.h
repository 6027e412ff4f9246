/** The socket that a dashboard listens on. */
#ifndef DASHBOARD_LISTEN_H
#define DASHBOARD_LISTEN_H

#include "resnet/base.h"

enum { LISTEN_ADDRESS = 64 };

typedef struct rn_listener {
    int socket; // -1: none
    int port;
    char address[LISTEN_ADDRESS]; // numeric
    bool ipv6, loopback;
    bool moved; // the usual port was in use
} rn_listener;

/** Read an address, without a socket. RN_EINVAL. */
rn_status rn_listener_address(rn_listener *out, const char *bind);

/** Open the socket at out's address; port as in rn_dashboard_options. RN_EINVAL; RN_ENETWORK. */
rn_status rn_listener_open(rn_listener *out, int port);

void rn_listener_close(rn_listener *listener);

#endif
