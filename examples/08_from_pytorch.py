# Trains a classifier of three rings in PyTorch and exports it for 08_from_pytorch.cpp, here:
#     python3 examples/08_from_pytorch.py examples/08_from_pytorch.safetensors
import json
import math
import sys

import torch
from torch import nn

try:
    from safetensors.torch import save_file
except ImportError:  # the format is small enough to be written by hand: a length, a header, the values

    def save_file(tensors, path, metadata):
        header, values = {"__metadata__": metadata}, b""
        for name, tensor in tensors.items():  # float32, little-endian, row-major
            data = tensor.detach().cpu().float().contiguous().flatten().numpy().tobytes()
            header[name] = {
                "dtype": "F32",
                "shape": list(tensor.shape),
                "data_offsets": [len(values), len(values) + len(data)],
            }
            values += data
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + values)


class Classifier(nn.Module):
    def __init__(self, *widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


torch.manual_seed(0)
radius, angle = torch.rand(1000).sqrt(), 2 * math.pi * torch.rand(1000)
x = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)  # uniform in the unit disc
y = (3 * radius).long() % 2  # three rings, two classes

path = sys.argv[1]
net = Classifier(2, 32, 32, 2)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for epoch in range(400):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(x), y).backward()
    optimizer.step()

# The export: one line. Names are those of the ModuleList; the activation cannot be seen from the weights.
save_file(net.state_dict(), path, metadata={"activation": "relu"})

net.double()
point = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
jacobian = torch.autograd.functional.jacobian(net, point)[0, :, 0]
print("f", *(f"{value:.6f}" for value in net(point)[0]))
print("J", *(f"{value:.6f}" for value in jacobian.flatten()))
