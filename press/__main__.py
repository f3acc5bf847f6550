"""`python -m press VERB`: each verb of the Makefile, without make."""

import sys

from press import check_python

if __name__ == "__main__":
    check_python(sys.version_info)  # before what an old Python cannot read
    from press import interrupt
    try:
        interrupt.listen()
        from press.command import main
        code = main(sys.argv[1:])
        interrupt.stop_listening()
    except KeyboardInterrupt:
        code = interrupt.say_stopped()
    sys.exit(code)
