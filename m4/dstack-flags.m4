dnl SPDX-License-Identifier: Apache-2.0
dnl Warnings and hardening. They go to DSTACK_CFLAGS and DSTACK_LDFLAGS: the user's CFLAGS stay the user's.
AC_DEFUN([DSTACK_COMPILER_FLAGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings fatal])], [], [enable_werror=no])
  AX_APPEND_COMPILE_FLAGS([-std=gnu11 -Wall -Wextra -Wshadow -Wundef -Wvla -Walloca -Wcast-align=strict \
    -Wcast-qual -Wconversion -Wno-sign-conversion -Wdeclaration-after-statement -Wformat=2 -Wformat-signedness \
    -Wimplicit-fallthrough=5 -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wmissing-declarations \
    -Wmissing-prototypes -Wold-style-definition -Wstrict-prototypes -Wnested-externs -Wpointer-arith \
    -Wredundant-decls -Wswitch-enum -Wwrite-strings -Wdate-time -Wstrict-overflow=2 -Wno-unused-parameter \
    -Wno-missing-field-initializers -Wno-cast-function-type \
    -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion \
    -Werror=return-type \
    -fno-common -fvisibility=hidden -fno-strict-aliasing -fno-delete-null-pointer-checks \
    -fstack-protector-strong -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero],
    [DSTACK_CFLAGS], [-Werror])
  AS_IF([test "x$enable_werror" = xyes], [DSTACK_CFLAGS="$DSTACK_CFLAGS -Werror"])
  AX_APPEND_LINK_FLAGS([-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed], [DSTACK_LDFLAGS])
  AC_SUBST([DSTACK_CFLAGS])
  AC_SUBST([DSTACK_LDFLAGS])
])

AC_DEFUN([DSTACK_SANITIZERS], [
  AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [AddressSanitizer and LeakSanitizer])], [], [enable_asan=no])
  AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [UndefinedBehaviorSanitizer])], [], [enable_ubsan=no])
  AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [ThreadSanitizer])], [], [enable_tsan=no])
  AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing], [libFuzzer targets (needs clang)])], [], [enable_fuzzing=no])
  AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [gcov counters in every object])], [], [enable_coverage=no])
  AC_ARG_ENABLE([analyzer], [AS_HELP_STRING([--enable-analyzer], [gcc's -fanalyzer])], [], [enable_analyzer=no])
  AS_IF([test "x$enable_tsan" = xyes && test "x$enable_asan" = xyes],
    [AC_MSG_ERROR([--enable-tsan and --enable-asan exclude each other])])
  DSTACK_SAN=
  AS_IF([test "x$enable_asan" = xyes], [DSTACK_SAN="$DSTACK_SAN -fsanitize=address -fno-omit-frame-pointer"])
  AS_IF([test "x$enable_ubsan" = xyes], [DSTACK_SAN="$DSTACK_SAN -fsanitize=undefined -fno-sanitize-recover=undefined"])
  AS_IF([test "x$enable_tsan" = xyes], [DSTACK_SAN="$DSTACK_SAN -fsanitize=thread"])
  AS_IF([test "x$enable_fuzzing" = xyes], [
    DSTACK_SAN="$DSTACK_SAN -fsanitize=fuzzer-no-link"
    FUZZ_LDFLAGS="-fsanitize=fuzzer"
  ])
  AS_IF([test -z "$DSTACK_SAN"], [
    DSTACK_LDFLAGS="$DSTACK_LDFLAGS -Wl,-z,defs"
    DSTACK_CFLAGS="$DSTACK_CFLAGS -D_FORTIFY_SOURCE=2"
  ])
  AS_IF([test "x$enable_coverage" = xyes], [DSTACK_SAN="$DSTACK_SAN --coverage"])
  AS_IF([test "x$enable_analyzer" = xyes], [DSTACK_CFLAGS="$DSTACK_CFLAGS -fanalyzer"])
  DSTACK_CFLAGS="$DSTACK_CFLAGS $DSTACK_SAN"
  DSTACK_LDFLAGS="$DSTACK_LDFLAGS $DSTACK_SAN"
  AC_SUBST([FUZZ_LDFLAGS])
  AM_CONDITIONAL([ENABLE_FUZZING], [test "x$enable_fuzzing" = xyes])
  AM_CONDITIONAL([ENABLE_SANITIZERS], [test -n "$DSTACK_SAN"])
])
