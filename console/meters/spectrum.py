"""Third-octave spectrum, and how alike the two channels are in each band."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft

from ._decibels import power_db
from ._input import check_format, checked
from ._kernels import add_spectra

_LOWEST_BAND, _HIGHEST_BAND = -17, 13  # 20 Hz and 20 kHz, in tenths of a decade from 1 kHz
_FRAME_S = 0.68  # three FFT bins in the 20 Hz band, the narrowest
_BATCH = 2  # frames transformed at once; fixed, so that a result never depends on block size


def third_octave_centres(sample_rate: int) -> NDArray[np.float64]:
    """Float64 `(bands,)`: exact base-ten mid-band frequencies in Hz, 20 Hz to 20 kHz.

    IEC 61260-1: 1000 * 10^(n / 10). Bands centred at or above half of `sample_rate` are left out.
    """
    centres = 1000.0 * 10.0 ** (np.arange(_LOWEST_BAND, _HIGHEST_BAND + 1) / 10.0)
    below: NDArray[np.float64] = centres[centres < sample_rate / 2]
    return below


class SpectrumMeter:
    """Long-term third-octave levels, and correlation and width in each band.

    sample_rate: Hz, 8000 to 192000. channels: 1 or 2.

    The signal, with half a frame of silence before and after, is cut into frames of about 0.7 s
    that overlap by half, under the window sin(pi/2 sin^2(pi (n + 1/2) / N)) of the Vorbis I
    specification: as smooth as a Hann window, but its overlapped squares sum to one, so that every
    sample counts equally and all bins add up to the signal's mean square (Parseval). A bin is
    taken as flat over its width and shared among the bands it overlaps. Readings may be taken at
    any time.

    Raises `MixgymError` for a rate or channel count it cannot read.
    """

    def __init__(self, sample_rate: int, channels: int = 2) -> None:
        check_format(sample_rate, channels)
        self.sample_rate = sample_rate
        self.channels = channels
        self.centres_hz = third_octave_centres(sample_rate)
        self._size = 2 ** round(np.log2(sample_rate * _FRAME_S))
        self._hop = self._size // 2
        phase = np.pi * (np.arange(self._size) + 0.5) / self._size
        self._window = np.sin(np.pi / 2 * np.sin(phase) ** 2).astype(np.float32)
        self._buffer = np.zeros((channels, self._hop * (_BATCH + 1)), np.float32)
        self._cut = np.empty((_BATCH + 1, channels, self._size), np.float32)
        self._filled = self._hop
        self._frames = 0
        self._energies = np.zeros((3, self._hop + 1))
        self._bands: NDArray[np.float64] | None = None

    def push(self, audio: NDArray[np.float32]) -> None:
        """Measure `audio`, float32 `(channels, frames)`.

        Raises `MixgymError` for another shape, NaN or infinity.
        """
        audio = checked(audio, self.channels)
        self._bands = None
        self._frames += audio.shape[1]
        start = 0
        while start < audio.shape[1]:
            count = min(audio.shape[1] - start, self._buffer.shape[1] - self._filled)
            self._buffer[:, self._filled : self._filled + count] = audio[:, start : start + count]
            self._filled += count
            start += count
            if self._filled == self._buffer.shape[1]:
                self._transform(self._buffer, self._energies)
                self._buffer[:, : self._hop] = self._buffer[:, -self._hop :]
                self._filled = self._hop

    @property
    def levels_db(self) -> NDArray[np.float64]:
        """Float64 `(bands,)`: mean square in each band, averaged over channels, in dB.

        0 dB is a mean square of one, so a sine of full scale reads -3.01 in its band.
        """
        left, right, _ = self._band_powers()
        mean: NDArray[np.float64] = (left + right) / 2.0
        return power_db(mean)

    @property
    def bins_hz(self) -> NDArray[np.float64]:
        """Float64 `(bins,)`: the frequencies at which `levels_db_through` takes a filter's gain."""
        bins = np.arange(self._hop + 1)
        return np.asarray(bins * (self.sample_rate / self._size))

    def levels_db_through(self, gain_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """Float64 `(bands,)`: what `levels_db` would read behind a filter.

        gain_db: float64 `(bins,)`, the filter's magnitude at `bins_hz`.
        """
        energies = self._complete_energies() * 10.0 ** (gain_db / 10.0)
        left, right, _ = self._integrate(energies)
        mean: NDArray[np.float64] = (left + right) / 2.0
        return power_db(mean)

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Float64 `(bands,)`: Re<L R*> / sqrt(<L L*> <R R*>), -1 to 1.

        1 for mono; NaN in a band where a channel is silent.
        """
        left, right, cross = self._band_powers()
        scale = np.sqrt(left) * np.sqrt(right)
        ratio = np.divide(cross, scale, out=np.full_like(scale, np.nan), where=scale > 0.0)
        correlation: NDArray[np.float64] = np.clip(ratio, -1.0, 1.0)
        return correlation

    @property
    def width(self) -> NDArray[np.float64]:
        """Float64 `(bands,)`: power of the side over that of mid and side, 0 to 1.

        0 for equal channels, 0.5 for uncorrelated ones, 1 in anti-phase; NaN in a silent band.
        """
        left, right, cross = self._band_powers()
        total = left + right
        ratio = np.divide(cross, total, out=np.full_like(total, np.nan), where=total > 0.0)
        width: NDArray[np.float64] = np.clip(0.5 - ratio, 0.0, 1.0)
        return width

    @property
    def balance(self) -> NDArray[np.float64]:
        """Float64 `(bands,)`: (right - left) / (right + left) in power; 0 in a silent band."""
        left, right, _ = self._band_powers()
        total = left + right
        balance: NDArray[np.float64] = np.divide(
            right - left, total, out=np.zeros_like(total), where=total > 0.0
        )
        return balance

    def _transform(self, audio: NDArray[np.float32], energies: NDArray[np.float64]) -> None:
        """Add the energies of every frame in `audio`, `(channels, whole hops)`."""
        frames = sliding_window_view(audio, self._size, axis=1)[:, :: self._hop].swapaxes(0, 1)
        cut = np.multiply(frames, self._window, out=self._cut[: len(frames)])
        spectra = rfft(cut, axis=-1)
        add_spectra(spectra[:, 0], spectra[:, -1], energies)

    def _band_powers(self) -> NDArray[np.float64]:
        """`(3, bands)`: mean squares of L and R and the mean of L R, unfinished end included."""
        if self._bands is None:
            self._bands = self._integrate(self._complete_energies())
        return self._bands

    def _complete_energies(self) -> NDArray[np.float64]:
        """`(3, bins)`: sums of |L|^2, |R|^2 and Re(L R*), unfinished end included."""
        energies = self._energies.copy()
        hops = -(-self._filled // self._hop) + 1  # the last sample lies in two frames as well
        tail = np.zeros((self.channels, hops * self._hop), np.float32)
        tail[:, : self._filled] = self._buffer[:, : self._filled]
        self._transform(tail, energies)
        return energies

    def _integrate(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bin energies `(3, bins)` to band means `(3, bands)`."""
        energies = energies * (2.0 / (self._size * max(1, self._frames)))
        energies[:, [0, -1]] /= 2.0
        bins = energies.shape[1]
        bin_edges = np.clip(np.arange(bins + 1) - 0.5, 0.0, bins - 1.0)
        bin_edges *= self.sample_rate / self._size
        band_edges = self.centres_hz * 10.0 ** np.array([[-0.05], [0.05]])
        bands = np.empty((3, self.centres_hz.size))
        for band, energy in zip(bands, energies, strict=True):
            below = np.concatenate(([0.0], np.cumsum(energy)))
            low, high = np.interp(band_edges, bin_edges, below)
            band[:] = high - low
        return bands
