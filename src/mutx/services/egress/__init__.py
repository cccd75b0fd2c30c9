"""The egress gateway: an explicit HTTP proxy that has every outbound request decided, for tools that no adapter sees.

heads       request and response heads, strictly read
addresses   names to addresses, and what kind of address that is
gateway     one connection: who asks, what for, the decision
forward     a plain request, there and back
tunnel      CONNECT: bytes both ways
"""
