/* rtnetlink sockets. For the library's own use. */
#ifndef PS_NL_SOCKET_H
#define PS_NL_SOCKET_H

#include "include/ps_netlink.h"

/* Opens a rtnetlink socket, nonblocking, with extended acknowledgements, bound; in the namespace
 * of `netns` (see ps_nl_open) or the caller's. Returns the descriptor. */
int ps_nl_socket(const uint8_t *netns, uint32_t netns_size);

/* Sets the receive buffer, by force where that is allowed, and otherwise as large as can be. */
int ps_nl_receive_buffer(int fd, uint32_t bytes);

/* Joins RTNLGRP_LINK. */
int ps_nl_join(int fd);

/* Asks for every link, without statistics. */
int ps_nl_request_dump(int fd, uint32_t sequence);

/* Reads size and filling of the receive buffer and the kernel's count of drops. */
int ps_nl_memory(int fd, struct ps_link_stats *ret_stats);

#endif
