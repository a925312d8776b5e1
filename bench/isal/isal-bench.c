// Intel ISA-L at the work of the kernel bench: one thread, shards in separate memory, results in reused
// buffers, tables prepared once. Prints MB (10^6 bytes) of data a second of processor time.
//
//   isal-bench encode|rebuild K N BLOCK_BYTES LEAST_MS

#include <isa-l/erasure_code.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_SHARDS = 255, TABLE_BYTES = 32, ALIGNMENT = 64 };

static double thread_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void fail(const char *message) {
  fprintf(stderr, "isal-bench: %s\n", message);
  exit(1);
}

static unsigned char *new_block(int block_bytes) {
  size_t bytes = ((size_t)block_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  unsigned char *block = aligned_alloc(ALIGNMENT, bytes);
  if (block == NULL) fail("out of memory");
  memset(block, 0, bytes);
  return block;
}

// Rows that derive the first n - k shards, all of them data, from the last k.
static void rebuilding_rows(const unsigned char *matrix, int k, int n, unsigned char *rows) {
  static unsigned char survivors[MAX_SHARDS * MAX_SHARDS], inverse[MAX_SHARDS * MAX_SHARDS];
  memcpy(survivors, matrix + (n - k) * k, (size_t)(k * k));
  if (gf_invert_matrix(survivors, inverse, k) != 0) fail("the survivors do not suffice");
  memcpy(rows, inverse, (size_t)((n - k) * k));
}

int main(int argc, char **argv) {
  static unsigned char matrix[MAX_SHARDS * MAX_SHARDS], rows[MAX_SHARDS * MAX_SHARDS];
  static unsigned char tables[MAX_SHARDS * MAX_SHARDS * TABLE_BYTES];
  unsigned char *shards[MAX_SHARDS], *answers[MAX_SHARDS];
  if (argc != 6) fail("usage: isal-bench encode|rebuild K N BLOCK_BYTES LEAST_MS");
  int is_rebuild = strcmp(argv[1], "rebuild") == 0;
  int k = atoi(argv[2]), n = atoi(argv[3]), block_bytes = atoi(argv[4]);
  double least_ms = atof(argv[5]);
  if (k < 1 || k >= n || n > MAX_SHARDS || (is_rebuild && n - k > k)) fail("K and N do not fit");
  if (block_bytes < 1 || least_ms <= 0) fail("BLOCK_BYTES and LEAST_MS must be above 0");

  unsigned state = 1;
  for (int i = 0; i < n; i++) shards[i] = new_block(block_bytes);
  for (int i = 0; i < n - k; i++) answers[i] = new_block(block_bytes);
  for (int i = 0; i < k; i++) {
    for (int at = 0; at < block_bytes; at++) {
      state = state * 1664525u + 1013904223u;
      shards[i][at] = (unsigned char)(state >> 24);
    }
  }
  gf_gen_cauchy1_matrix(matrix, n, k);
  ec_init_tables(k, n - k, matrix + k * k, tables);
  ec_encode_data(block_bytes, k, n - k, tables, shards, shards + k);

  unsigned char **sources = shards, **expected = shards + k;
  if (is_rebuild) {
    rebuilding_rows(matrix, k, n, rows);
    ec_init_tables(k, n - k, rows, tables);
    sources = shards + (n - k);
    expected = shards;
  }
  ec_encode_data(block_bytes, k, n - k, tables, sources, answers);
  for (int i = 0; i < n - k; i++) {
    if (memcmp(answers[i], expected[i], (size_t)block_bytes) != 0) fail("the answer is wrong");
  }

  long calls = 0;
  double start_ms = thread_ms(), elapsed_ms = 0;
  for (; elapsed_ms < least_ms; elapsed_ms = thread_ms() - start_ms) {
    ec_encode_data(block_bytes, k, n - k, tables, sources, answers);
    calls++;
  }
  printf("%.3f\n", (double)calls * k * block_bytes / 1e3 / elapsed_ms);
  return 0;
}
