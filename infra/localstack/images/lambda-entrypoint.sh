#!/bin/sh
# The handler's name is the argument, as in AWS's image. Without a runtime API around us, the emulator of one is started.
if [ $# -ne 1 ]; then
  echo "the handler is the one argument: app.handler" >&2
  exit 142
fi
export _HANDLER="$1"
if [ -n "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /var/runtime/bootstrap
fi
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
