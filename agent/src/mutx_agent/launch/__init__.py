"""What `mutx run` puts into the program it starts: hooks, identity, and the sandbox beneath them.

bootstrap/sitecustomize.py   found by Python at its start, before the program
activate                     what each Python process does then
importing                    calls back when a framework has been imported
gate                         installs the framework's adapter, proves it, or stops the process
children                     identity for child processes; refuses Python children that would run without all this
order                        what the launcher tells the processes below it, through the environment
shim, landlock, seccomp, namespaces   the sandbox, put on between fork and exec
"""
