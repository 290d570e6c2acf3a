# Keeps a file system of its own mounted as long as its standard input is open, whatever becomes of the program at the
# other end of it: disk.pl IMAGE FOLDER. A line `cut` takes its power away, a line `again` gives it back.
use strict;
use warnings;

# EXT4_IOC_SHUTDOWN, and the flag that keeps it from writing out its log first (linux/fs/ext4/ext4.h)
use constant { SHUTDOWN => 0x8004587d, NOLOGFLUSH => 2 };

my ($image, $folder) = @ARGV;
# an interrupt from the keyboard goes to the whole group; the end of the input is what counts
$SIG{INT} = $SIG{TERM} = 'IGNORE';
$| = 1;

sub run { system(@_) == 0 or die "@_ failed\n" }

sub cut {
    sysopen(my $root, $folder, 0) or die "$folder: $!\n";
    my $flags = pack('L', NOLOGFLUSH);
    defined ioctl($root, SHUTDOWN, $flags) or die "$folder cannot be shut down: $!\n";
}

run('mount', '-o', 'loop', $image, $folder);
print "again\n";
while (my $line = <STDIN>) {
    if ($line eq "cut\n") { cut() }
    else { run('umount', $folder); run('mount', '-o', 'loop', $image, $folder) }
    print $line;
}

# lazily: a hub that outlived the program may still have files open
END { system('umount', '-l', $folder) }
