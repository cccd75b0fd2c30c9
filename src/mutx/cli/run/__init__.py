"""What `mutx run` is made of.

options      what was asked for
environment  which variables the program gets
upstream     the control plane that decides
inspection   what it takes to look into https
relay        the socket that the program asks through
journal      what the processes of the run tell
report       which layers hold
spawn        fork, sandbox, exec; signals and the end
governed     one run, from the first receipt to the last
"""
