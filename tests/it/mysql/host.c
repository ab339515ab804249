/* A server that loads the MySQL component and does nothing else: it stands for the database where a database would hide
 * what the component does, or would never ask. Written from the description of the interface, and knows nothing of KMIP.
 *
 *   host LIBRARY < COMMANDS
 *
 * A line is a command and its words; "-" is no text, "=" an empty one. Each is answered by a line: what was found, "yes" or
 * "no", "ok" or "failed". Ends with 2 when the component breaks the interface. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 12
#define BYTES_MAX 20000
#define THREADS 4

struct pair { const char *name; void *value; };
struct component {
  const char *name;
  const struct pair *provides, *needs, *metadata;
  int (*init)(void);
  int (*deinit)(void);
};

typedef const char *name_t;
struct { int (*load)(name_t, name_t); } *loading;
struct {
  int (*init)(name_t, name_t, void **);
  int (*deinit)(void *);
  int (*length)(void *, size_t *, size_t *);
  int (*fetch)(void *, unsigned char *, size_t, size_t *, char *, size_t, size_t *);
} *reader;
struct { int (*store)(name_t, name_t, const unsigned char *, size_t, name_t); int (*remove)(name_t, name_t); } *writer;
struct { int (*generate)(name_t, name_t, name_t, size_t); } *generator;
struct cursor {
  int (*init)(void **);
  int (*deinit)(void *);
  int (*is_valid)(void *);
  int (*next)(void *);
  int (*length)(void *, size_t *, size_t *);
  int (*get)(void *, char *, size_t, char *, size_t);
} *keys, *metadata;
struct { int (*is_initialized)(void); } *status;
typedef int crypt_t(name_t, name_t, name_t, size_t, const unsigned char *, int, const unsigned char *, size_t,
                    unsigned char *, size_t, size_t *);
struct { int (*size)(size_t, name_t, size_t, size_t *); crypt_t *encrypt, *decrypt; } *aes;

static const struct component *component;

static void broken(const char *how) {
  printf("broken: %s\n", how);
  exit(2);
}

static void *service(const char *name) {
  char whole[100];
  snprintf(whole, sizeof whole, "%s.%s", name, component->name);
  for (const struct pair *it = component->provides; it->name; it++)
    if (strcmp(it->name, whole) == 0) return it->value;
  broken(name);
  return NULL;
}

static void find_services(void) {
  loading = service("keyring_load");
  reader = service("keyring_reader_with_status");
  writer = service("keyring_writer");
  generator = service("keyring_generator");
  keys = service("keyring_keys_metadata_iterator");
  status = service("keyring_component_status");
  metadata = service("keyring_component_metadata_query");
  aes = service("keyring_aes");
}

static name_t text(char *word) {
  if (!word || strcmp(word, "-") == 0) return NULL;
  return strcmp(word, "=") == 0 ? "" : word;
}

static size_t unhex(const char *word, unsigned char *bytes) {
  size_t count = 0;
  for (; word && word[0] && word[1] && count < BYTES_MAX; word += 2) {
    unsigned byte;
    sscanf(word, "%2x", &byte);
    bytes[count++] = (unsigned char)byte;
  }
  return count;
}

static void say_hex(const unsigned char *bytes, size_t count) {
  for (size_t at = 0; at < count; at++) printf("%02x", bytes[at]);
}

static void say(int failed) { puts(failed ? "failed" : "ok"); }

static void get(name_t data_id, name_t auth_id) {
  void *key = NULL;
  size_t length = 0, type_length = 0, got = 0, type_got = 0;
  if (reader->init(data_id, auth_id, &key)) { puts("failed"); return; }
  if (!key) { puts("none"); return; }
  if (reader->length(key, &length, &type_length)) broken("length");
  unsigned char *bytes = malloc(length);
  char *type = malloc(type_length + 1);
  if (reader->fetch(key, bytes, length, &got, type, type_length + 1, &type_got)) broken("fetch");
  if (got != length || type_got != type_length || strlen(type) != type_length) broken("lengths");
  if (!reader->fetch(key, bytes, length - 1, &got, type, type_length + 1, &type_got)) broken("a small buffer");
  if (!reader->fetch(key, bytes, length, &got, type, type_length - 1, &type_got)) broken("a small buffer");
  if (reader->deinit(key)) broken("deinit");
  printf("%s ", type);
  say_hex(bytes, length);
  putchar('\n');
  free(bytes);
  free(type);
}

/* Nanoseconds that finding, reading and leaving a key takes, the best of many rounds. */
static void measure(name_t data_id, name_t auth_id) {
  double best = 1e9;
  for (int round = 0; round < 50; round++) {
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int time = 0; time < 1000; time++) {
      void *key = NULL;
      unsigned char bytes[64];
      char type[8];
      size_t length, type_length;
      if (reader->init(data_id, auth_id, &key) || !key) broken("no key to measure");
      if (reader->length(key, &length, &type_length)) broken("length");
      if (reader->fetch(key, bytes, sizeof bytes, &length, type, sizeof type, &type_length)) broken("fetch");
      if (reader->deinit(key)) broken("deinit");
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double took = (double)(ended.tv_sec - began.tv_sec) * 1e9 + (double)(ended.tv_nsec - began.tv_nsec);
    if (took / 1000 < best) best = took / 1000;
  }
  printf("%.0f\n", best);
}

static void list(struct cursor *service, size_t zero) {
  void *at = NULL;
  if (service->init(&at)) { puts("failed"); return; }
  while (service->is_valid(at)) {
    size_t left = 0, right = 0;
    if (service->length(at, &left, &right)) broken("length");
    char *one = malloc(left + zero), *other = malloc(right + zero);
    if (service->get(at, one, left + zero, other, right + zero)) broken("get");
    if (strlen(one) + 1 != left + zero || strlen(other) + 1 != right + zero) broken("lengths");
    if (!service->get(at, one, left + zero - 1, other, right + zero)) broken("a small buffer");
    printf("%s=%s;", one, other);
    free(one);
    free(other);
    if (service->next(at) && service->is_valid(at)) broken("next");
  }
  if (!service->next(at)) broken("next at the end");
  if (service->deinit(at)) broken("deinit");
  putchar('\n');
}

static void crypt_data(crypt_t *function, char **words) {
  static unsigned char data[BYTES_MAX], out[BYTES_MAX], iv[BYTES_MAX];
  size_t length = unhex(words[6], data), room = BYTES_MAX, made = 0;
  unhex(words[5], iv);
  if (words[7]) room = strtoul(words[7], NULL, 10);
  if (function(text(words[1]), text(words[2]), text(words[3]), 256, iv, atoi(words[4]), data, length, out, room, &made)) {
    puts("failed");
    return;
  }
  say_hex(out, made);
  putchar('\n');
}

static unsigned entries(const char *directory) {
  unsigned count = 0;
  DIR *open = opendir(directory);
  while (open && readdir(open)) count++;
  closedir(open);
  return count;
}

/* Chunks of malloc's that are in use, threads, open descriptors. */
static void counts(void) {
  printf("%zu %u %u\n", (size_t)mallinfo2().uordblks, entries("/proc/self/task"), entries("/proc/self/fd"));
}

/* What a server would never ask. */
static void misuse(void) {
  size_t length;
  unsigned char byte = 0;
  void *handle = &byte;
  int refused = 1;
  refused &= reader->init(NULL, NULL, NULL) && reader->deinit(NULL) && reader->length(NULL, &length, &length);
  refused &= reader->fetch(NULL, &byte, 1, &length, NULL, 0, &length) != 0;
  refused &= writer->store(NULL, NULL, NULL, 16, NULL) && writer->store("k", NULL, NULL, 16, "AES");
  refused &= writer->store("k", NULL, &byte, 1, NULL) && writer->store("\xff", NULL, &byte, 1, "SECRET");
  refused &= writer->store("", NULL, &byte, 1, "SECRET") && writer->remove(NULL, NULL);
  refused &= generator->generate(NULL, NULL, "AES", 16) && generator->generate("k", NULL, NULL, 16);
  refused &= generator->generate("k", NULL, "AES", (size_t)-1) && generator->generate("k", NULL, "RSA", 16);
  for (struct cursor *it = keys;; it = metadata) {
    refused &= it->init(NULL) && it->deinit(NULL) && !it->is_valid(NULL) && it->next(NULL);
    refused &= it->length(NULL, &length, &length) && it->get(NULL, NULL, 0, NULL, 0);
    if (it == metadata) break;
  }
  refused &= aes->size(1, NULL, 256, &length) && aes->size(1, "cbc", 256, NULL) && aes->size((size_t)-1, "cbc", 256, &length);
  refused &= aes->encrypt(NULL, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL) != 0;
  refused &= aes->decrypt("k", NULL, "cbc", 256, NULL, 1, &byte, 1, &byte, 1, &length) != 0;
  (void)handle;
  puts(refused ? "refused" : "taken");
}

static void *read_forever(void *is_over) {
  while (!*(volatile int *)is_over) {
    void *key = NULL;
    unsigned char bytes[64];
    char type[8];
    size_t length, type_length;
    if (reader->init("shared", NULL, &key)) continue;
    if (key && reader->fetch(key, bytes, sizeof bytes, &length, type, sizeof type, &type_length)) broken("fetch");
    if (key && reader->deinit(key)) broken("deinit");
  }
  return NULL;
}

/* Threads that read while keys are read anew and changed. */
static void together(name_t plugins, name_t data, int rounds) {
  pthread_t threads[THREADS];
  volatile int is_over = 0;
  int failed = 0;
  for (int at = 0; at < THREADS; at++) pthread_create(&threads[at], NULL, read_forever, (void *)&is_over);
  for (int round = 0; round < rounds; round++) {
    failed |= generator->generate("shared", NULL, "AES", 32);
    failed |= loading->load(plugins, data);
    failed |= writer->remove("shared", NULL);
  }
  is_over = 1;
  for (int at = 0; at < THREADS; at++) pthread_join(threads[at], NULL);
  say(failed);
}

static void obey(char **words) {
  static unsigned char bytes[BYTES_MAX];
  const char *command = words[0];
  name_t one = text(words[1]), two = words[1] ? text(words[2]) : NULL;
  if (!strcmp(command, "load")) say(loading->load(one, two));
  else if (!strcmp(command, "init")) say(component->init());
  else if (!strcmp(command, "deinit")) say(component->deinit());
  else if (!strcmp(command, "is_initialized")) puts(status->is_initialized() ? "yes" : "no");
  else if (!strcmp(command, "get")) get(one, two);
  else if (!strcmp(command, "measure")) measure(one, two);
  else if (!strcmp(command, "generate")) say(generator->generate(one, two, words[3], strtoul(words[4], NULL, 10)));
  else if (!strcmp(command, "store")) {
    size_t count = unhex(words[4], bytes);
    say(writer->store(one, two, bytes, count, words[3]));
  } else if (!strcmp(command, "remove")) say(writer->remove(one, two));
  else if (!strcmp(command, "keys")) list(keys, 1);
  else if (!strcmp(command, "metadata")) list(metadata, 0);
  else if (!strcmp(command, "size")) {
    size_t size = 0;
    if (aes->size(strtoul(words[1], NULL, 10), two, strtoul(words[3], NULL, 10), &size)) puts("failed");
    else printf("%zu\n", size);
  } else if (!strcmp(command, "encrypt")) crypt_data(aes->encrypt, words);
  else if (!strcmp(command, "decrypt")) crypt_data(aes->decrypt, words);
  else if (!strcmp(command, "counts")) counts();
  else if (!strcmp(command, "misuse")) misuse();
  else if (!strcmp(command, "together")) together(one, two, atoi(words[3]));
  else broken(command);
}

int main(int count, char **arguments) {
  if (count != 2) broken("usage");
  void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) broken(dlerror());
  const struct component *(*declare)(void) = (const struct component *(*)(void))dlsym(library, "list_components");
  if (!declare) broken("list_components");
  component = declare();
  find_services();
  static char line[3 * BYTES_MAX];
  while (fgets(line, sizeof line, stdin)) {
    char *words[WORDS_MAX] = {0}, *rest = line;
    for (int at = 0; at < WORDS_MAX - 1 && (words[at] = strtok_r(rest, " \n", &rest)); at++) {}
    if (words[0]) obey(words);
    fflush(stdout);
  }
  return 0;
}
