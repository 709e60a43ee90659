dnl SPDX-License-Identifier: Apache-2.0
dnl What may be left out of a build, and the tools each part needs.
AC_DEFUN([DSTACK_FEATURES], [
  AC_ARG_ENABLE([daemon], [AS_HELP_STRING([--disable-daemon], [do not build the D-Bus service])], [], [enable_daemon=yes])
  AC_ARG_ENABLE([hook], [AS_HELP_STRING([--disable-hook], [do not build the libvirt hook])], [], [enable_hook=yes])
  AC_ARG_ENABLE([man], [AS_HELP_STRING([--disable-man], [do not build man pages])], [], [enable_man=yes])

  AS_IF([test "x$enable_daemon" = xyes], [
    AC_PATH_PROG([GDBUS_CODEGEN], [gdbus-codegen])
    AS_IF([test -z "$GDBUS_CODEGEN"], [AC_MSG_ERROR([gdbus-codegen is missing (Debian: libglib2.0-dev-bin), or use --disable-daemon])])
  ])
  AS_IF([test "x$enable_man" = xyes], [
    AC_PATH_PROG([POD2MAN], [pod2man])
    AC_PATH_PROG([PODCHECKER], [podchecker])
    AS_IF([test -z "$POD2MAN"], [AC_MSG_ERROR([pod2man is missing (Debian: perl), or use --disable-man])])
  ])
  dnl the hook's first half starts several times faster without a dynamic linker; sanitizers need theirs
  HOOK_LDFLAGS=
  AS_IF([test "x$enable_hook" = xyes && test -z "$DSTACK_SAN"], [
    dstack_save_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS -static"
    AC_MSG_CHECKING([whether programs can be linked statically])
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdlib.h>]], [[return abs(0);]])],
      [AC_MSG_RESULT([yes])
       HOOK_LDFLAGS=-all-static],
      [AC_MSG_RESULT([no])])
    LDFLAGS=$dstack_save_LDFLAGS
  ])
  AC_SUBST([HOOK_LDFLAGS])
  AM_CONDITIONAL([ENABLE_DAEMON], [test "x$enable_daemon" = xyes])
  AM_CONDITIONAL([ENABLE_HOOK], [test "x$enable_hook" = xyes])
  AM_CONDITIONAL([ENABLE_MAN], [test "x$enable_man" = xyes])
])
