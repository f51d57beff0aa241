"""The small networks of the failure lab, each a feature extractor and a linear head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (16, 32, 64)
LINEAR = "linear"
"""The network whose logits are linear in the mean spectrum."""


class Network(nn.Module):
    """Logits of images: ``head(body(x))``; the body gives one feature vector a patch."""

    def __init__(self, body: nn.Module, features: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.body(images)))
        return logits


class ChannelTokens(nn.Module):
    """Features (N, width) of a transformer whose tokens are every channel of every square of the image (a small
    ChannelViT, Bao et al. 2024, arXiv:2309.16108).

    One linear map for all channels, a learnt vector for each channel and each place, ``depth`` encoder layers, mean.
    """

    def __init__(self, channels: int, size: tuple[int, int], side: int = 12, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        self.side = (min(side, size[0]), min(side, size[1]))
        places = (size[0] // self.side[0]) * (size[1] // self.side[1])
        self.patch = nn.Conv2d(1, width, self.side, stride=self.side)
        self.channel = nn.Parameter(torch.randn(channels, 1, width) * 0.02)
        self.place = nn.Parameter(torch.randn(1, places, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)

    def forward(self, images: Tensor) -> Tensor:
        count, channels = images.shape[:2]
        tokens = self.patch(images.reshape(count * channels, 1, *images.shape[2:])).flatten(2).transpose(1, 2)
        tokens = tokens.reshape(count, channels, tokens.shape[1], tokens.shape[2]) + self.channel + self.place
        encoded: Tensor = self.encoder(tokens.flatten(1, 2))
        return encoded.mean(dim=1)


class MeanSpectrum(nn.Module):
    """The mean of each channel of images (N, C, H, W): (N, C)."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))


class PixelMean(nn.Module):
    """The same small network on every pixel, averaged, so that positions have no effect: (N, width)."""

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        pixels: Tensor = self.layers(images.flatten(2).transpose(1, 2))
        return pixels.mean(dim=1)


class Residual(nn.Module):
    """Two 3 x 3 convolutions with batch norm beside a shortcut (He et al. 2016, arXiv:1512.03385, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, images: Tensor) -> Tensor:
        return functional.relu(self.layers(images) + self.shortcut(images))


def residual_layers(channels: int, size: tuple[int, int]) -> nn.Sequential:
    """Return the body of ResNet-18 (He et al. 2016, arXiv:1512.03385, table 1): 11.2 million parameters.

    Its stem is made for 224 pixels: a 7 x 7 convolution and a pool, each of stride 2. Patches below 64 pixels have a
    3 x 3 convolution of stride 1 and the pool instead, without which nothing of them is left for the later layers.
    """
    large = min(size) >= 64
    stem = nn.Conv2d(channels, 64, 7, 2, 3, bias=False) if large else nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for outputs, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Residual(inputs, outputs, stride), Residual(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, MeanSpectrum())


def convolutions(channels: int) -> nn.Sequential:
    """Return three 3 x 3 convolutions with batch norm, two of them pooled, and the mean over the image."""
    layers: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(zip((channels, *WIDTHS[:-1]), WIDTHS, strict=True)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        if index < 2:
            # an image too small to halve keeps its size
            layers.append(_Halve())
    return nn.Sequential(*layers, MeanSpectrum())


class _Halve(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return functional.max_pool2d(images, 2) if min(images.shape[2:]) >= 2 else images


Build = Callable[[int, tuple[int, int], int, float], Network]


@dataclass(frozen=True)
class Kind:
    """A network by name. build: (channels, (H, W), classes, dropout) -> network."""

    title: str
    build: Build


def _cnn(channels: int, size: tuple[int, int], classes: int, dropout: float) -> Network:
    return Network(convolutions(channels), WIDTHS[-1], classes, dropout)


def _pixel(channels: int, size: tuple[int, int], classes: int, dropout: float) -> Network:
    return Network(PixelMean(channels), 32, classes, dropout)


def _linear(channels: int, size: tuple[int, int], classes: int, dropout: float) -> Network:
    return Network(MeanSpectrum(), channels, classes, dropout)


def _vit(channels: int, size: tuple[int, int], classes: int, dropout: float) -> Network:
    return Network(ChannelTokens(channels, size), 32, classes, dropout)


def _resnet(channels: int, size: tuple[int, int], classes: int, dropout: float) -> Network:
    return Network(residual_layers(channels, size), 512, classes, dropout)


def _bottleneck(width: int) -> Build:
    def build(channels: int, size: tuple[int, int], classes: int, dropout: float) -> Network:
        body = nn.Sequential(nn.Conv2d(channels, width, 1), convolutions(width))
        return Network(body, WIDTHS[-1], classes, dropout)

    return build


NETWORKS: Mapping[str, Kind] = MappingProxyType(
    {
        "cnn": Kind("Small CNN", _cnn),
        "pixel": Kind("Pixel network, no neighbours", _pixel),
        LINEAR: Kind("Linear, mean spectrum", _linear),
        "vit": Kind("Channel-wise transformer", _vit),
        "resnet18": Kind("ResNet-18", _resnet),
        **{
            f"bottleneck-{width}": Kind(f"CNN behind {width} spectral features", _bottleneck(width))
            for width in (1, 2, 4, 8, 16)
        },
    }
)


def build(name: str, channels: int, size: tuple[int, int], classes: int, dropout: float = 0.0) -> Network:
    """Return a fresh network; its weights follow torch's global random state."""
    return NETWORKS[name].build(channels, size, classes, dropout)
