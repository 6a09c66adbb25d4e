#!/usr/bin/env python3
"""The training steps of normalign-bench in PyTorch, in turn with ours.

    bench/pytorch_step.py build/normalign-bench [--threads 2] [--rounds 9] [SETTING ...]

For each setting, with and without GrokAlign, PyTorch and `normalign-bench --serve` take some steps in turn; printed are
the medians of a step in milliseconds, PyTorch's over ours, and both over the floor of a step (docs/performance.md). What
PyTorch does is what its users would write: nn.Sequential, its own optimizers, torch.autograd.grad with create_graph for
the projected Jacobian, forward-mode differentiation for the offset f - J x.
"""
import argparse
import ctypes
import json
import os
import re
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torch.autograd.forward_ad as forward_ad
except ImportError:
    sys.exit("pytorch_step: found no PyTorch for " + sys.executable +
             "; on Debian: apt-get install python3-torch, and run with /usr/bin/python3")


def blas():
    """The library that does PyTorch's products, as this process has loaded it, and an OpenBLAS's kernels."""
    torch.ones(2, 2) @ torch.ones(2, 2)
    with open("/proc/self/maps") as maps:
        files = {os.path.realpath(found[0]) for line in maps
                 if (found := re.search(r"/\S*/lib(openblas|blas|blis|mkl_core|mkl_rt|nvpl_blas)\S*\.so\S*", line))}
    names = []
    for file in sorted(files):
        core = getattr(ctypes.CDLL(file), "openblas_get_corename", None)
        if core is not None:
            core.restype = ctypes.c_char_p
        names.append(file + (f" ({core().decode()} kernels)" if core is not None else ""))
    # A library may be inside of PyTorch's own.
    built_in = re.search(r"Intel\(R\)[^\n]*Math Kernel Library Version \S+", torch.__config__.show())
    return ", ".join(names or ([built_in[0]] if built_in else ["a BLAS of its own"]))


class Square(torch.nn.Module):
    def forward(self, x):
        return x * x


def network(widths, activation, bias, dtype):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs, bias=bias, dtype=dtype), activation()]
    return torch.nn.Sequential(*layers[:-1])


def adamw(rate, decay):
    return lambda p: torch.optim.AdamW(p, lr=rate, betas=(0.9, 0.99), eps=1e-25, weight_decay=decay)


def mse_to_one_hot(f, labels):
    return torch.nn.functional.mse_loss(f, torch.nn.functional.one_hot(labels, f.shape[1]).to(f.dtype))


def settings():
    """Name: network, optimizer, loss, batch, lambda, whether the offset is penalised, steps at a time."""
    cross_entropy = torch.nn.functional.cross_entropy
    bits = torch.randint(0, 2, (1000, 43)).float()
    pairs = torch.nn.functional.one_hot(torch.arange(64) % 61, 61).double()
    digits = torch.randn(196, 784, dtype=torch.float64)
    yield ("sparse_parity", lambda: network([43, 200, 200, 2], torch.nn.ReLU, True, torch.float32), adamw(1e-2, 0.1),
           cross_entropy, (bits, torch.arange(1000) % 2), 0.1, True, 20)
    yield ("mod_add", lambda: network([122, 256, 61], Square, False, torch.float64), adamw(1e-3, 1.0),
           cross_entropy, (torch.cat([pairs[:32], pairs[32:]], 1), torch.arange(32)), 0.01, True, 100)
    for name, loss in ("mnist_ce", cross_entropy), ("mnist_se", mse_to_one_hot):
        yield (name, lambda: network([784, 200, 200, 200, 10], torch.nn.ReLU, True, torch.float64), adamw(1e-3, 0.01),
               loss, (digits, torch.arange(196) % 10), 0.01, True, 10)
    yield ("xor", lambda: network([40000, 2048, 1], torch.nn.ReLU, False, torch.float32),
           lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.2, weight_decay=0.1),
           lambda f, y: torch.nn.functional.mse_loss(f[:, 0], 2.0 * y - 1),
           (0.05 * torch.sign(torch.randn(400, 40000)), torch.arange(400) % 2), 1.0, False, 1)


def step_of(net, optimizer, loss, batch, weight, penalise_offset):
    """A function that takes one step."""
    x, labels = batch

    def baseline():
        optimizer.zero_grad()
        loss(net(x), labels).backward()
        optimizer.step()

    def grokalign():
        optimizer.zero_grad()
        at = x.detach().requires_grad_()
        if penalise_offset:
            with forward_ad.dual_level():
                f, jx = forward_ad.unpack_dual(net(forward_ad.make_dual(at, x)))
            offset = (f - jx).square().sum(1).mean()
        else:
            f, offset = net(at), 0
        v = torch.nn.functional.normalize(torch.randn_like(f), dim=1)
        vj, = torch.autograd.grad(f, at, v, create_graph=True)
        norm = (f.shape[1] * vj.square().sum(1)).clamp_min(1e-8).sqrt().mean()
        (loss(f, labels) + weight * (norm + offset)).backward()
        optimizer.step()

    return grokalign if weight else baseline


def seconds(step, count):
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="build/normalign-bench")
    parser.add_argument("setting", nargs="*", help="only these (default: all but xor, which takes minutes)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_intermixed_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__} with {blas()}")
    # With no group to measure the program prints what it runs on.
    machine = json.loads(subprocess.run([options.bench, "--filter", "nothing"], stdout=subprocess.PIPE, check=True).stdout)
    print(f"normalign {machine['version']} with {machine['blas']}")
    print(f"{options.threads} threads each, medians of {options.rounds} rounds in turn")
    print(f"{'step':28}{'PyTorch ms':>12}{'ours ms':>10}{'PyTorch/ours':>14}{'PyTorch/floor':>15}{'ours/floor':>12}")
    for name, net, optimizer, loss, batch, weight, penalise_offset, count in settings():
        if name not in (options.setting or ["sparse_parity", "mod_add", "mnist_ce", "mnist_se"]):
            continue
        for condition in "baseline", "grokalign":
            model = net()
            theirs = step_of(model, optimizer(model.parameters()), loss, batch, weight if condition == "grokalign" else 0,
                             penalise_offset)
            command = [options.bench, "--serve", name, "--threads", str(options.threads)]
            if condition == "grokalign":
                command.append("--grokalign")
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
                floor = float(server.stdout.readline())

                def ours():
                    print(count, file=server.stdin, flush=True)
                    return float(server.stdout.readline())

                ours(), seconds(theirs, count)  # warm up
                times = [(seconds(theirs, count), ours()) for _ in range(options.rounds)]
                server.stdin.close()
            peer, own = (statistics.median(column) for column in zip(*times))
            print(f"{name + ' ' + condition:28}{1e3 * peer:12.3f}{1e3 * own:10.3f}{peer / own:14.2f}{peer / floor:15.2f}"
                  f"{own / floor:12.2f}", flush=True)


if __name__ == "__main__":
    main()
