"""The app on a server for many visitors.

- `mode`: personal or shared
- `start`: checks before the server starts
- `tickets`: signed tickets: which browser has which space
- `spaces`: the visitors' folders
- `limits`: how much a visitor may use
- `turns`: costly computations wait for each other
- `classroom`: what the teacher's page shows and does
- `counts`: how often something happened
- `gauges`: numbers for monitoring
"""
