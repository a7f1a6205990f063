/* libportsync: what portsync needs of the kernel and cannot do in TypeScript.
 *
 * One header for each concept; this one only gathers them. */
#ifndef PORTSYNC_H
#define PORTSYNC_H

#include "ps_common.h"
#include "ps_linkset.h"
#include "ps_netlink.h"
#include "ps_ring.h"
#include "ps_shm.h"
#include "ps_uds.h"

#endif
