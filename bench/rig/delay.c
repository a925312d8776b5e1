// A cable with a delay, between two network namespaces, for kernels without netem: a TUN device in each, and
// every packet leaves the other one DELAY later.
//
//     delay NAMESPACE-A ADDRESS-A NAMESPACE-B ADDRESS-B MICROSECONDS
//
// Addresses are IPv4, of a /30 together. Prints "up" when the devices are. Linux, as root. Packets beyond
// what the queue holds are dropped, as a switch drops them; how many is told at the end, on stderr.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MTU 1500
#define SLOTS 8192 // 12 MB each way: 100 MB/s for 120 ms

struct packet {
  int64_t due_us;
  int size;
  unsigned char bytes[MTU + 4];
};
struct way {
  int from, to;
  unsigned head, tail; // of packets taken, and of packets given
  struct packet *packets;
};

static volatile sig_atomic_t is_ending;
static void end(int number) { (void)number; is_ending = 1; }

static void must(int result, const char *what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/** A TUN device in the namespace, up. */
static int tunnel(const char *namespace, const char *address) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  must(space, path);
  must(setns(space, CLONE_NEWNET), "setns");
  close(space);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  must(device, "/dev/net/tun");
  struct ifreq wanted = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(wanted.ifr_name, "delay0");
  must(ioctl(device, TUNSETIFF, &wanted), "TUNSETIFF");
  int control = socket(AF_INET, SOCK_DGRAM, 0);
  must(control, "socket");
  struct sockaddr_in *in = (struct sockaddr_in *)&wanted.ifr_addr;
  in->sin_family = AF_INET;
  in->sin_addr.s_addr = inet_addr(address);
  must(ioctl(control, SIOCSIFADDR, &wanted), "address");
  in->sin_addr.s_addr = inet_addr("255.255.255.252");
  must(ioctl(control, SIOCSIFNETMASK, &wanted), "mask");
  wanted.ifr_qlen = 2000;
  must(ioctl(control, SIOCSIFTXQLEN, &wanted), "queue");
  wanted.ifr_flags = IFF_UP | IFF_RUNNING;
  must(ioctl(control, SIOCSIFFLAGS, &wanted), "up");
  close(control);
  return device;
}

int main(int count, char **given) {
  if (count != 6) {
    fprintf(stderr, "delay NAMESPACE-A ADDRESS-A NAMESPACE-B ADDRESS-B MICROSECONDS\n");
    return 2;
  }
  int a = tunnel(given[1], given[2]), b = tunnel(given[3], given[4]);
  int64_t delay_us = atoll(given[5]);
  struct way ways[2] = {{.from = a, .to = b}, {.from = b, .to = a}};
  for (int at = 0; at < 2; at++) ways[at].packets = calloc(SLOTS, sizeof(struct packet));
  signal(SIGTERM, end);
  signal(SIGINT, end);
  printf("up\n");
  fflush(stdout);
  long dropped = 0;
  unsigned char spare[MTU + 4];
  while (!is_ending) {
    int64_t next_us = INT64_MAX;
    for (int at = 0; at < 2; at++) {
      struct way *way = &ways[at];
      int64_t taken_us = now_us();
      for (;;) {
        int is_full = way->head - way->tail == SLOTS;
        struct packet *packet = &way->packets[way->head % SLOTS];
        int size = read(way->from, is_full ? spare : packet->bytes, MTU + 4);
        if (size <= 0) break;
        if (is_full) {
          dropped++;
          continue;
        }
        packet->size = size;
        packet->due_us = taken_us + delay_us;
        way->head++;
      }
      int64_t us = now_us();
      while (way->tail != way->head) {
        struct packet *packet = &way->packets[way->tail % SLOTS];
        if (packet->due_us > us) {
          if (packet->due_us < next_us) next_us = packet->due_us;
          break;
        }
        if (write(way->to, packet->bytes, packet->size) < 0) dropped++;
        way->tail++;
      }
    }
    struct pollfd waits[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
    struct timespec wait = {.tv_sec = 1};
    if (next_us != INT64_MAX) {
      int64_t left_us = next_us - now_us();
      if (left_us < 0) left_us = 0;
      wait = (struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
    }
    ppoll(waits, 2, &wait, NULL);
  }
  fprintf(stderr, "%ld packets dropped\n", dropped);
  return 0;
}
