/*
 * The process that holds a pod's namespaces: it reaps orphans (SIGCHLD ignored with SA_NOCLDWAIT, for pods that share a PID namespace),
 * ends on SIGTERM and SIGINT, and sleeps otherwise. No C library, so that it is a kilobyte and runs in an empty image.
 * Built into src/runtime/pause-binaries.ts by `node build/runtime/pause.ts`.
 */
#define SIGINT 2
#define SIGTERM 15
#define SIGCHLD 17
#define SIG_IGN ((void (*)(int))1)
#define SA_NOCLDWAIT 2
#define SA_RESTORER 0x04000000

static long system_call(long number, long a, long b, long c, long d);
extern void restore(void);

#if defined(__x86_64__)
#define NR_SIGACTION 13
#define NR_PPOLL 271
#define NR_EXIT 60
__asm__(".globl restore\nrestore: mov $15, %eax\nsyscall\n");
static long system_call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
#define NR_SIGACTION 134
#define NR_PPOLL 73
#define NR_EXIT 93
__asm__(".globl restore\nrestore: mov x8, #139\nsvc 0\n");
static long system_call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#endif

struct action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

static void end(int signal) { system_call(NR_EXIT, 0, 0, 0, 0); }

static void on(long signal, void (*handler)(int), unsigned long flags) {
  struct action action = {handler, SA_RESTORER | flags, restore, 0};
  system_call(NR_SIGACTION, signal, (long)&action, 0, sizeof action.mask);
}

void _start(void) {
  on(SIGCHLD, SIG_IGN, SA_NOCLDWAIT);
  on(SIGTERM, end, 0);
  on(SIGINT, end, 0);
  for (;;) system_call(NR_PPOLL, 0, 0, 0, 0);
}
