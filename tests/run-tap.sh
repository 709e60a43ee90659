#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# GLib prints TAP only when asked.
exec "$@" --tap
