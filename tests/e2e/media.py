"""Small films that are real: made by ffmpeg, with enough noise in the picture to weigh several
MiB.

Each has its index where players go looking for it: MP4 (`moov`), Matroska (`Cues`) and AVI
(`idx1`) at the end of the file; of MP4 there is one with the index at its start, too.
"""

import hashlib

from processes import must

DURATION_S = 8


def _encode(path, video, audio, *more, duration_s=DURATION_S):
    must(["ffmpeg", "-v", "error", "-y",
          "-f", "lavfi", "-i", f"testsrc2=size=480x270:rate=25:duration={duration_s}",
          "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=44100:duration={duration_s}",
          *more, "-vf", "noise=alls=30:allf=t", *video, *audio, "-shortest", path])
    return path


_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "25", "-pix_fmt", "yuv420p"]
_AAC = ["-c:a", "aac", "-b:a", "96k"]


def make_mp4(path, duration_s=DURATION_S):
    return _encode(path, _X264, _AAC, duration_s=duration_s)


def make_mp4_with_its_index_first(path, duration_s=DURATION_S):
    return _encode(path, _X264, _AAC + ["-movflags", "+faststart"], duration_s=duration_s)


def make_plain_mkv(path, duration_s=DURATION_S):
    return _encode(path, _X264, _AAC, duration_s=duration_s)


def make_webm(path):
    return _encode(path, ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "6M",
                          "-g", "25"], ["-c:a", "libvorbis"])


def make_mkv(path, subtitles):
    """Matroska with the subtitles of an SRT file as a third stream."""
    return _encode(path, _X264, _AAC + ["-c:s", "srt", "-map", "0", "-map", "1", "-map", "2"],
                   "-i", subtitles)


def make_avi(path, duration_s=DURATION_S):
    return _encode(path, ["-c:v", "mpeg4", "-q:v", "3"], ["-c:a", "libmp3lame", "-b:a", "96k"],
                   duration_s=duration_s)


def make_srt(path):
    with open(path, "w", encoding="utf-8") as out:
        for second in range(DURATION_S):
            out.write(f"{second + 1}\n00:00:0{second},000 --> 00:00:0{second},900\n"
                      f"Second {second}, naïvely counted\n\n")
    return path


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def decoded_md5(source):
    """What ffmpeg decodes from a file or URL, start to end, audio and video: one MD5. Any word on
    stderr is a failure.
    """
    done = must(["ffmpeg", "-v", "error", "-i", source, "-map", "0:v", "-map", "0:a",
                 "-f", "md5", "-"], deadline_s=120)
    if done.stderr:
        raise AssertionError(f"ffmpeg complained about {source}: {done.stderr}")
    return done.stdout.strip()
