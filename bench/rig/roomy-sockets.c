// For LD_PRELOAD: UDP sockets over IPv4 and IPv6 have room for ROOMY_BYTES of what arrives, whatever the
// program asks for. Chromium asks for 64 KiB, which holds 56 packets of 1,200 bytes. Linux, as root.

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int roomy_bytes(void) {
  const char *bytes = getenv("ROOMY_BYTES");
  return bytes == NULL ? 0 : atoi(bytes);
}

int socket(int domain, int type, int protocol) {
  int made = syscall(SYS_socket, domain, type, protocol), bytes = roomy_bytes();
  int is_datagram = (type & 0xf) == SOCK_DGRAM && (domain == AF_INET || domain == AF_INET6);
  if (made >= 0 && bytes > 0 && is_datagram)
    syscall(SYS_setsockopt, made, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  return made;
}

int setsockopt(int of, int level, int name, const void *value, socklen_t length) {
  if (roomy_bytes() > 0 && level == SOL_SOCKET && name == SO_RCVBUF) return 0;
  return syscall(SYS_setsockopt, of, level, name, value, length);
}
